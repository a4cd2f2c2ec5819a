package dialect

import (
	"encoding/xml"
	"strings"
)

// Autoconfig is Mozilla's format, by now a draft of the IETF. The client asks the domain itself, then its provider (by MX), at
// https://autoconfig.DOMAIN/mail/config-v1.1.xml?emailaddress=ADDRESS or https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml:
//
//	<clientConfig version="1.1"><emailProvider id="lab.test"><domain>lab.test</domain><displayName>Lab</displayName>
//	  <incomingServer type="imap"><hostname>mail.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
//	    <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>
//	  <outgoingServer type="smtp">…</outgoingServer>
//	  <documentation url="https://lab.test/help"><descr>How to</descr></documentation></emailProvider>
//	 <calendar type="caldav"><url>https://dav.lab.test/</url></calendar>
//	 <oAuth2><issuer>login.lab.test</issuer><authURL>…</authURL><tokenURL>…</tokenURL></oAuth2></clientConfig>
//
// That servers lie outside the asked domain is normal: of 510 hosts in the ISPDB, 64 do.
var autoconfig = wireFormat{
	info: Info{
		ID:       Autoconfig,
		Name:     "autoconfig",
		Title:    "Autoconfig at the domain (clientConfig XML)",
		Citation: "draft-ietf-mailmaint-autoconfig; Mozilla wiki, Autoconfiguration:ConfigFileFormat",
		Clients:  "Thunderbird, K-9, Evolution, Geary, KMail, FairEmail, Delta Chat, Nextcloud Mail, Horde",
	},
	recognise: func(_ Request, _, path string) bool { return isAutoconfig(path) },
	read:      readConfig,
	refuse:    refuseConfig,
	compose:   composeConfig,
}

// isAutoconfig knows the places of the draft (section "Mail provider"), the one that Nine 4.9 asks (/v1.1 before it) and Stalwart's own
// (mail-v1.xml). The version may be any, because some day it will be.
func isAutoconfig(path string) bool {
	rest, ok := strings.CutPrefix(path, "/.well-known/")
	if ok {
		if rest == "mail-v1.xml" {
			return true
		}
		rest, ok = strings.CutPrefix(rest, "autoconfig/mail/config-v")
	} else {
		rest, ok = strings.CutPrefix(strings.TrimPrefix(path, "/v1.1"), "/mail/config-v")
	}
	if !ok {
		return false
	}
	version, ok := strings.CutSuffix(rest, ".xml")
	major, minor, dotted := strings.Cut(version, ".")
	return ok && dotted && digits(major) && digits(minor)
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// unknownDomain stands where an answer must name a domain and the question names none: nobody can have it (RFC 6761, section 6.4).
const unknownDomain = "invalid"

// askedDomain is the domain that the client set out with: that of the address that it gave, else whatever the request is about. Behind an
// MX look-up the asked host is the provider's, and only the address is the client's own.
func askedDomain(subjects []Subject) string {
	for _, s := range subjects {
		if s.Address != "" {
			return s.Domain
		}
	}
	for _, s := range subjects {
		return s.Domain
	}
	return unknownDomain
}

// refuseConfig answers with a document that names no server. It is the only answer on which every client that was run settles: a 404 sends
// the look-up of KDE (22.12) round in circles, 500 times a second, and Geary (43.0) hides its form for the servers after an empty body.
// Only GET and HEAD are ever asked; whoever asks otherwise is no mail client.
func refuseConfig(q Inquiry) Answer {
	if q.Request.Method != "GET" && q.Request.Method != "HEAD" {
		return notFound()
	}
	domain := escapeXML(askedDomain(q.Subjects))
	return composed(typeXML, `<?xml version="1.0" encoding="utf-8"?>`+
		`<clientConfig version="1.1"><emailProvider id="`+domain+`"><domain>`+domain+`</domain>`+
		`<displayName>`+domain+`</displayName></emailProvider></clientConfig>`)
}

// escapeXML writes text so that it can stand in an element and in an attribute.
func escapeXML(s string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(s)) // a Builder takes everything
	return out.String()
}
