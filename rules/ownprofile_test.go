package rules_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

const appleProfile = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.mail.managed</string><key>PayloadIdentifier</key><string>test.lab.mail.wei.li</string><key>EmailAddress</key><string>wei.li@lab.test</string><key>IncomingMailServerHostName</key><string>mail.lab.test</string><key>OutgoingMailServerHostName</key><string>mail.lab.test</string><key>Note</key><string>NOTE</string></dict></array><key>PayloadType</key><string>Configuration</string></dict></plist>
`

// TestOwnSignedProfile: a lab's own profile passes as it was signed, whatever the signer's certificate says of its authority's hosts; what is signed, and what
// stands behind the signature, is looked through as ever.
func TestOwnSignedProfile(t *testing.T) {
	signAs := profileSigner(t)
	sign := func(profile string) string { return signAs("DER", profile) }
	own, strange := sign(strings.ReplaceAll(appleProfile, "NOTE", "none")), sign(strings.ReplaceAll(appleProfile, "NOTE", "imap.stranger.net"))
	p := builtin(t)
	r := question("https://mail.lab.test/wei.li@lab.test.mobileconfig")
	for name, c := range map[string]struct {
		body string
		want rules.Action
	}{
		"own":                               {own, rules.ActionPass},
		"own, in pieces":                    {signAs("DER", strings.ReplaceAll(appleProfile, "NOTE", "none"), "-stream"), rules.ActionPass},
		"a stranger in pieces":              {signAs("DER", strings.ReplaceAll(appleProfile, "NOTE", "imap.stranger.net"), "-stream"), rules.ActionRefuse},
		"own, and a new line":               {own + "\r\n", rules.ActionPass},
		"a stranger in a word":              {strange, rules.ActionRefuse},
		"a stranger in data":                {sign(strings.ReplaceAll(appleProfile, "<string>NOTE</string>", "<data>"+strangerThrice+"</data>")), rules.ActionRefuse},
		"no server":                         {strings.ReplaceAll(appleProfile, "MailServerHostName", "MailNote"), rules.ActionRefuse},
		"an identifier in a word":           {sign(strings.ReplaceAll(appleProfile, "NOTE", "test.lab.stranger.li")), rules.ActionRefuse},
		"an identifier as a server":         {sign(strings.ReplaceAll(appleProfile, "Note</key><string>NOTE", "ProxyServer</key><string>test.lab.mail.wei.li")), rules.ActionRefuse},
		"the software's identifier":         {sign(strings.ReplaceAll(appleProfile, "test.lab.mail.wei.li", "com.hoster.profile.email")), rules.ActionPass},
		"one with an address in it":         {strings.ReplaceAll(appleProfile, "test.lab.mail.wei.li", "com.hoster.wei.li+x@lab.test.email"), rules.ActionPass},
		"a name in the identifier's place":  {strings.ReplaceAll(appleProfile, "test.lab.mail.wei.li", "https://imap.stranger.net"), rules.ActionRefuse},
		"unsigned":                          {strings.ReplaceAll(appleProfile, "NOTE", "none"), rules.ActionPass},
		"unsigned, of Apple Inc":            {strings.NewReplacer("-//Apple//", "-//Apple Inc//", " PUBLIC", "\nPUBLIC", "NOTE", "none").Replace(appleProfile), rules.ActionPass},
		"unsigned, an identifier in a word": {strings.ReplaceAll(appleProfile, "NOTE", "test.lab.stranger.li"), rules.ActionRefuse},
		"a server without a dot":            {sign(strings.ReplaceAll(appleProfile, "Note</key><string>NOTE", "ProxyServer</key><string>imap")), rules.ActionRefuse},
		"a stranger, coded thrice":          {sign(strings.ReplaceAll(appleProfile, "NOTE", strangerThrice)), rules.ActionRefuse},
		"unsigned, coded thrice":            {strings.ReplaceAll(appleProfile, "NOTE", strangerThrice), rules.ActionRefuse},
		"encrypted":                         {sign(strings.ReplaceAll(appleProfile, `<plist version="1.0"><dict>`, `<plist version="1.0"><dict><key>EncryptedPayloadContent</key><data>MIAG</data>`)), rules.ActionRefuse},
		"a stranger behind the signature":   {own + "imap.stranger.net", rules.ActionRefuse},
	} {
		a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"application/x-apple-aspen-config"}}, Body: []byte(c.body)}
		if _, d := decide(p, r, a); d.Action != c.want || string(a.Body) != c.body {
			t.Errorf("%s: %v, %s; want %v; the body is untouched: %v", name, d.Action, d.Reason, c.want, string(a.Body) == c.body)
		}
	}
	a := dialect.Answer{Status: 200, Header: dialect.Header{"X-Note": {strangerThrice}, "Content-Location": {"https://mail.lab.test/x"}}, Body: []byte(own)}
	plan, d := decide(p, r, a)
	if err := truthful(p, plan, d, d.Answer); err != nil || d.Action != rules.ActionEdit || d.Answer.Header["X-Note"] != nil {
		t.Errorf("a stranger in a field, coded thrice: %v, %v: %s, %v", d.Action, d.Answer.Header, d.Reason, err)
	}
}

// strangerThrice is imap.stranger.net, coded three times.
var strangerThrice = func() string {
	s := "imap.stranger.net"
	for range 3 {
		s = base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}()

// TestProfile_signedByOpenSSL reads what a signer writes that is not ours.
func TestProfile_signedByOpenSSL(t *testing.T) {
	signAs := profileSigner(t)
	q, ok := dialect.Recognise(question("https://mail.lab.test/a.mobileconfig"))
	if !ok {
		t.Fatal("the question for a profile is not recognised")
	}
	for _, form := range []string{"DER", "PEM"} {
		body := signAs(form, `<?xml version="1.0"?><plist version="1.0"><dict><key>Host</key><string>imap.stranger.net</string></dict></plist>`)
		doc, err := dialect.Read(q, dialect.Answer{Status: 200, Header: dialect.Header{}, Body: []byte(body)})
		if err != nil || len(doc.Suggestions) != 1 || doc.Suggestions[0].Host != "imap.stranger.net" {
			t.Errorf("%s: got %+v, %v", form, doc, err)
		}
	}
}

// profileSigner signs, in the form DER or PEM, like a server whose certificate is from a public authority, which says where it can be asked.
func profileSigner(t *testing.T) func(form, profile string, options ...string) string {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), openssl, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key", "-out", "cert", "-subj", "/CN=mail.lab.test",
		"-addext", "authorityInfoAccess=OCSP;URI:http://ocsp.authority.net,caIssuers;URI:http://i.authority.net/", "-addext", "crlDistributionPoints=URI:http://c.authority.net/1.crl")
	return func(form, profile string, options ...string) string {
		if err := os.WriteFile(filepath.Join(dir, "in"), []byte(profile), 0o600); err != nil {
			t.Fatal(err)
		}
		run(append([]string{"smime", "-sign", "-nodetach", "-binary", "-signer", "cert", "-inkey", "key", "-in", "in", "-outform", form, "-out", "out"}, options...)...)
		return string(slurp(t, filepath.Join(dir, "out")))
	}
}
