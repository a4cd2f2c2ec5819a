package dialect

// Autodiscover as a SOAP service. The client posts to /autodiscover/autodiscover.svc
//
//	<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>user@lab.test</Mailbox></User></Users>
//	 <RequestedSettings><Setting>ExternalEwsUrl</Setting></RequestedSettings></Request></GetUserSettingsRequestMessage></Body></Envelope>
//
// and is answered with one UserResponse for each User, in the same order and without any address in it:
//
//	<UserResponse><ErrorCode>NoError</ErrorCode><UserSettings><UserSetting i:type="StringSetting"><Name>ExternalEwsUrl</Name>
//	 <Value>https://mail.lab.test/EWS/Exchange.asmx</Value></UserSetting></UserSettings></UserResponse>
//
// or with a RedirectTarget. Users may have different domains, so each response is judged for its own. GetDomainSettings does the same for
// domains; GetFederationInformation and GetOrganizationRelationshipSettings are what Exchange servers ask each other.
var soap = wireFormat{
	info: Info{
		ID:       SOAP,
		Name:     "soap",
		Title:    "SOAP Autodiscover (autodiscover.svc)",
		Citation: "MS-OXWSADISC",
		Clients:  "Outlook, Exchange Server, EWS Managed API, ews-javascript-api, exchangelib",
	},
	recognise: func(_ Request, _, path string) bool {
		switch path {
		case "/autodiscover/autodiscover.svc", "/autodiscover/autodiscover.svc/wssecurity",
			"/autodiscover/autodiscover.svc/wssecurity/symmetrickey", "/autodiscover/autodiscover.svc/wssecurity/x509cert":
			return true
		}
		return false
	},
	bodySubjects: soapBodySubjects,
	secretFree:   soapSecretFree,
	read:         readSOAP,
	refuse:       refuseSOAP,
	compose:      composeSOAP,
}

// The operations (MS-OXWSADISC 3.1.4). A request's body element is the name with RequestMessage behind it, an answer's with ResponseMessage.
const (
	soapUserSettings   = "GetUserSettings"
	soapDomainSettings = "GetDomainSettings"
	soapFederation     = "GetFederationInformation"
	soapRelationships  = "GetOrganizationRelationshipSettings"
)

// soapBodySubjects reads whom a request is about: every Mailbox and every Domain, whom its header logs in as, and whose place it goes to. Where the document cannot be read to its end, or names nobody there,
// whatever reads like one counts, too: better to guard too much than to miss the one.
func soapBodySubjects(r Request) []Subject {
	q := readSOAPQuestion(r)
	var all []Subject
	for _, asked := range q.asked {
		all = append(all, asked.subjects...)
	}
	all = append(all, q.login...)
	if !q.whole || len(all) == 0 {
		all = append(all, addressesAnywhere(q.data)...)
		all = append(all, domainsAnywhere(q.data)...)
	}
	if q.to != r.Host() {
		all = appendHostDomain(all, q.to)
	}
	return all
}
