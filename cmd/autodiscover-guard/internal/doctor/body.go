package doctor

import "strings"

// POX is the question of Microsoft's Autodiscover with the Outlook schema (MS-OXDSCLI, section 2.2.3) about an address.
func POX(address string) string {
	return xmlHead + `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">` +
		`<Request><EMailAddress>` + escaped(address) + `</EMailAddress><AcceptableResponseSchema>` +
		`http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`
}

// mobileSync is the same with the schema of ActiveSync (MS-ASCMD, section 4.2.1).
func mobileSync(address string) string {
	return xmlHead + `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006">` +
		`<Request><EMailAddress>` + escaped(address) + `</EMailAddress><AcceptableResponseSchema>` +
		`http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema></Request></Autodiscover>`
}

// soapUser asks for one user's settings (MS-OXWSADISC, section 4.1).
func soapUser(address string) string {
	return xmlHead + `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsa="http://www.w3.org/2005/08/addressing" ` +
		`xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover"><soap:Header><a:RequestedServerVersion>Exchange2010</a:RequestedServerVersion>` +
		`<wsa:Action>http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings</wsa:Action></soap:Header>` +
		`<soap:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>` + escaped(address) + `</a:Mailbox></a:User></a:Users>` +
		`<a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></soap:Body></soap:Envelope>`
}

const xmlHead = `<?xml version="1.0" encoding="utf-8"?>`

// escaped keeps an address from being markup.
func escaped(text string) string {
	return strings.NewReplacer("<", "&#60;", ">", "&#62;", "&", "&#38;").Replace(text)
}
