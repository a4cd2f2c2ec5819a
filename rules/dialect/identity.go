package dialect

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"
	"github.com/go-json-experiment/json/jsontext"

	"autodiscover-guard/rules/reserved"
)

// Before Microsoft's clients ask anybody for a password, they ask Microsoft who checks it. The look-ups name no mail server, but they tell
// where the password goes, which is worth more:
//
//	GET  /getuserrealm.srf?login=user%40lab.test&json=1        {"NameSpaceType":"Federated","AuthURL":"https://sts.lab.test/adfs/ls/?…"}
//	GET  /common/userrealm/user%40lab.test?api-version=1.0     {"account_type":"Federated","federation_active_auth_url":"https://…"}
//	POST /common/GetCredentialType  {"username":"user@lab.test"} {"IfExistsResult":0,"Credentials":{"FederationRedirectUrl":"https://…"}}
//	GET  /lab.test/v2.0/.well-known/openid-configuration       {"issuer":"https://…","token_endpoint":"https://…",…}
//	GET  /odc/v2.1/federationprovider?domain=lab.test          {"tenantId":"…","authority_host":"login.microsoftonline.com"}
//	GET  /odc/emailhrd/getidp?hm=0&emailAddress=user%40lab.test  OrgId
//
// getuserrealm.srf answers in XML where &xml=1 asks for it.
var identity = wireFormat{
	info: Info{
		ID:       Identity,
		Name:     "identity",
		Title:    "Microsoft identity look-ups (JSON, XML)",
		Citation: "OpenID Connect Discovery 1.0; no published specification of the others, published samples",
		Clients:  "Outlook, Office and others that sign in through MSAL",
		Services: []Service{{
			Name:  "identity",
			Hosts: identityHosts,
			Note:  "tells which identity provider gets the password; these hosts also handle the sign-in itself, so switching this on opens more than discovery",
		}},
	},
	recognise: func(r Request, host, path string) bool {
		return identityLookupOf(path, r.URL.RawQuery) != noLookup && Service{Hosts: identityHosts}.Covers(host)
	},
	bodySubjects:  identityBodySubjects,
	secretFree:    identitySecretFree,
	pathSubjects:  identityPath,
	querySubjects: identityQuery,
	read:          readIdentity,
	refuse:        refuseIdentity,
}

// identityHosts are the sign-in hosts of Microsoft's clouds (world, US government, China), one of their old names, and Office's own look-up.
var identityHosts = []string{
	"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.windows.net", "odc.officeapps.live.com",
}

// identityLookup is one of the questions.
type identityLookup uint8

const (
	noLookup identityLookup = iota
	userRealm
	credentialType
	openIDConfiguration
	federationProvider
	accountHome
)

const openIDPlace = "/.well-known/openid-configuration"

// identityLookupOf tells which one a path asks; userrealm has the user behind it, or in the query.
func identityLookupOf(path, query string) identityLookup {
	switch {
	case path == "/getuserrealm.srf":
		return userRealm
	case path == "/odc/v2.1/federationprovider":
		return federationProvider
	case path == "/odc/emailhrd/getidp":
		return accountHome
	case strings.HasSuffix(path, openIDPlace) && tenantDomain(path) != "":
		return openIDConfiguration
	}
	_, lookup, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/") // behind any tenant: common, organizations, a GUID or a domain
	switch name, user, _ := strings.Cut(lookup, "/"); {
	case name == "userrealm" && (user != "" || query != ""):
		return userRealm
	case lookup == "getcredentialtype":
		return credentialType
	}
	return noLookup
}

// lookup is the one that an inquiry asks.
func (q Inquiry) lookup() identityLookup {
	if q.Request.URL == nil {
		return noLookup
	}
	return identityLookupOf(normalPath(q.Request.URL.Path), q.Request.URL.RawQuery)
}

// tenantDomain is the domain in /{domain}/.well-known/openid-configuration and /{domain}/v2.0/.well-known/openid-configuration. Other
// tenants (common, organizations, a GUID) have no dot and name nobody.
func tenantDomain(path string) string {
	tenant, ok := strings.CutSuffix(path, openIDPlace)
	if !ok {
		return ""
	}
	tenant = strings.Trim(strings.TrimSuffix(tenant, "/v2.0"), "/")
	domain := reserved.Canonical(tenant)
	if strings.Contains(tenant, "/") || !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

// identityPath reads the address behind userrealm, which may be a bare domain, and the tenant.
func identityPath(path string) []Subject {
	normal := normalPath(path)
	domain := tenantDomain(normal)
	if _, user, ok := strings.Cut(normal, "/userrealm/"); ok {
		if found := pathAddresses(path); len(found) > 0 {
			return found
		}
		domain = domainOf(user)
	}
	if domain == "" {
		return nil
	}
	return []Subject{{Domain: domain, Carrier: "path"}}
}

// identityQuery reads a login that is a bare domain, which the service takes as well; addresses are read for every dialect.
func identityQuery(u *url.URL) []Subject {
	var all []Subject
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		value = decodeLeftover(unescape(value))
		if !strings.EqualFold(unescape(name), "login") || strings.Contains(value, "@") {
			continue
		}
		if domain := domainOf(strings.TrimSpace(value)); strings.Contains(domain, ".") {
			all = append(all, Subject{Domain: domain, Carrier: "query:login"})
		}
	}
	return all
}

// identityBodySubjects reads the username of GetCredentialType. Where the body cannot be read, every address in it counts.
func identityBodySubjects(r Request) []Subject {
	t, whole := r.bodyText()
	if !whole {
		return addressesAnywhere(string(t.data))
	}
	x, err := readJSON(t.data)
	if err != nil {
		return addressesAnywhere(string(t.data))
	}
	defer x.free()
	return addresses(x.root.member("username").string(), "body")
}

// identityHostMembers are members whose value is a bare host name, lower case. Environment is "Global" or the host of another cloud.
var identityHostMembers = []string{
	"authority_host", "cloud_graph_host_name", "cloud_instance_name", "cloudinstancename", "configprovidername", "environment", "msgraph_host",
}

// identityCore are members and elements without which an answer sends the client nowhere or to a default of its own, lower case.
var identityCore = []string{
	"authority_host", "authorization_endpoint", "authurl", "federation_active_auth_url", "federationredirecturl", "issuer", "stsauthurl",
	"token_endpoint",
}

func suggestIdentity(name, path, protocol, value string) (Suggestion, bool) {
	if slices.Contains(identityHostMembers, name) && (name != "environment" || strings.ContainsAny(value, "./")) {
		return suggestHost(path, protocol, value)
	}
	return suggestAbsolute(path, protocol, value)
}

func identitySubjects(name, value string) []Subject {
	switch name {
	case "login", "username":
		return addresses(value, "body")
	case "domainname", "domain_name":
		if domain := domainOf(value); domain != "" {
			return []Subject{{Domain: domain, Carrier: "body"}}
		}
	}
	return nil
}

func readIdentity(q Inquiry, t text) (*Document, error) {
	if q.lookup() == accountHome && !looksLikeText(t.data) {
		return readAccountHome(t)
	}
	if bytes.HasPrefix(bytes.TrimSpace(t.data), []byte("<")) {
		return readIdentityXML(t)
	}
	x, err := readJSON(t.data)
	if err != nil {
		return nil, err
	}
	w := urlWalk{suggest: suggestIdentity, subjects: identitySubjects}
	w.value(x.root, jsonPlace{})
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) {
		if removesAny(judged, identityCore...) {
			return Answer{}, ErrNothingLeft
		}
		return editJSON(x.root, w.spots, judged)
	}
	if !x.object() || len(w.found) == 0 {
		return d, fmt.Errorf("%w: no identity provider in the answer", ErrNoSettings)
	}
	return d, nil
}

// readIdentityXML reads RealmInfo.
func readIdentityXML(t text) (*Document, error) {
	x, err := parseXML(t)
	if err != nil {
		return nil, err
	}
	w := treeWalk{
		subjects: identitySubjects,
		suggest: func(e *etree.Element, path, value string) (Suggestion, bool) {
			return suggestIdentity(strings.ToLower(e.Tag), path, "", value)
		},
		holdsValue: func(name string) bool {
			return strings.HasSuffix(name, "url") || slices.Contains(identityHostMembers, name)
		},
	}
	w.element(x.root, &place{tag: x.root.Tag})
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) {
		if removesAny(judged, identityCore...) || !w.apply(x.root, judged) {
			return Answer{}, ErrNothingLeft
		}
		return w.write(x, 200)
	}
	switch {
	case w.err != nil:
		return d, w.err
	case !is(x.root, "RealmInfo") || len(w.found) == 0:
		return d, fmt.Errorf("%w: no identity provider in the answer", ErrNoSettings)
	}
	return d, nil
}

// The realm that nobody knows. Only NameSpaceType is common to all clients' readers.
const (
	realmUnknown    = `{"NameSpaceType":"Unknown"}`
	realmUnknownXML = `<?xml version="1.0" encoding="utf-8"?><RealmInfo Success="true"><NameSpaceType>Unknown</NameSpaceType></RealmInfo>`
)

// refuseIdentity says that nobody knows the account: NameSpaceType Unknown, IfExistsResult 1 (does not exist), Neither. Where the service has no such
// word, 404: its own 400 makes clients report a broken service.
func refuseIdentity(q Inquiry) Answer {
	switch q.lookup() {
	case userRealm:
		if strings.Contains("&"+strings.ToLower(q.Request.URL.RawQuery)+"&", "&xml=1&") {
			return composed(typeXML, realmUnknownXML)
		}
		return composed(typeJSON, realmUnknown)
	case credentialType:
		quoted, err := jsontext.AppendQuote(nil, q.AskedAddress())
		if err != nil { // not valid UTF-8: not worth repeating
			quoted = []byte(`""`)
		}
		return composed(typeJSON, `{"Username":`+string(quoted)+`,"IfExistsResult":1}`)
	case accountHome:
		return composed("text/plain; charset=utf-8", "Neither")
	case noLookup, openIDConfiguration, federationProvider:
	}
	return notFound()
}
