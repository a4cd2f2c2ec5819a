package companion

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"
)

// ProfileMediaType is what an Apple configuration profile is served as.
const ProfileMediaType = "application/x-apple-aspen-config"

// Profile writes an Apple configuration profile that installs the root certificate (com.apple.security.root) and, where pacURL is not empty, the
// global proxy by that PAC file (com.apple.proxy.http.global, for macOS and supervised iOS devices, one per device); open says whether a device goes
// directly where the PAC file cannot be fetched. It is not signed: a device says so and asks. After it was installed by hand, iOS
// wants the root switched on (Settings, General, About, Certificate Trust Settings).
//
// The same root gives the same identifiers, so that a profile that is installed again replaces the first one.
func Profile(root *x509.Certificate, pacURL string, open bool) []byte {
	sum := sha256.Sum256(root.Raw)
	mark := "autodiscover-guard." + hex.EncodeToString(sum[:4])
	payloads := payload(mark+".root", "com.apple.security.root", "autodiscover-guard root", sum) +
		"   <key>PayloadCertificateFileName</key><string>autodiscover-guard.cer</string>\n" +
		"   <key>PayloadContent</key><data>\n" + wrapped(base64.StdEncoding.EncodeToString(root.Raw)) + "   </data>\n  </dict>\n"
	if pacURL != "" {
		payloads += payload(mark+".proxy", "com.apple.proxy.http.global", "autodiscover-guard proxy", sum) +
			"   <key>ProxyType</key><string>Auto</string>\n" +
			"   <key>ProxyPACURL</key><string>" + escaped(pacURL) + "</string>\n" +
			fmt.Sprintf("   <key>ProxyPACFallbackAllowed</key><%v/>\n  </dict>\n", open)
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
 <key>PayloadContent</key>
 <array>
` + payloads + ` </array>
 <key>PayloadDescription</key><string>Lets this device trust autodiscover-guard, SHA-256 ` + hex.EncodeToString(sum[:]) + `</string>
 <key>PayloadDisplayName</key><string>autodiscover-guard</string>
 <key>PayloadIdentifier</key><string>` + mark + `</string>
 <key>PayloadType</key><string>Configuration</string>
 <key>PayloadUUID</key><string>` + uuid(mark, sum) + `</string>
 <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`)
}

// payload begins one with what all have.
func payload(identifier, kind, name string, root [32]byte) string {
	return "  <dict>\n" +
		"   <key>PayloadDisplayName</key><string>" + name + "</string>\n" +
		"   <key>PayloadIdentifier</key><string>" + identifier + "</string>\n" +
		"   <key>PayloadType</key><string>" + kind + "</string>\n" +
		"   <key>PayloadUUID</key><string>" + uuid(identifier, root) + "</string>\n" +
		"   <key>PayloadVersion</key><integer>1</integer>\n"
}

// uuid is one of version 8 (RFC 9562, section 5.8), made of what it stands for.
func uuid(name string, root [32]byte) string {
	u := sha256.Sum256(append(root[:], name...))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16]))
}

// wrapped breaks base64 into lines.
func wrapped(text string) string {
	const width = 76
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + "\n")
		text = text[width:]
	}
	return b.String() + text + "\n"
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
