package companion

import (
	"encoding/json"
	"strings"
)

// certificateFile is what the root certificate is called where Thunderbird looks for it. It searches a bare name in the folder certificates
// of distribution beside the program, of the user's directory for Mozilla (~/.mozilla), and of /usr/lib/mozilla (153.7, Policies.sys.mjs).
const certificateFile = "autodiscover-guard.pem"

// thunderbird writes policies.json, which Firefox reads as well. The proxy is not locked: a user may have another one to use. Guessing
// (mailnews.auto_config.guess.enabled) is left on, because it cannot be switched off for some domains alone.
func thunderbird(f Facts) []byte {
	type object = map[string]any
	// The members' order is that of their names; a test reads it by Thunderbird's own schema.
	text, err := json.MarshalIndent(object{"policies": object{
		"Certificates": object{"ImportEnterpriseRoots": true, "Install": []string{certificateFile}},
		"Proxy":        object{"Mode": "autoConfig", "AutoConfigURL": f.PACURL, "Locked": false},
	}}, "", "  ")
	if err != nil {
		panic(err) // of texts and truths
	}
	return append(text, '\n')
}

// outlook writes a registry file. What holds for every account, and so would cost accounts that are not guarded something, stands in it as a
// remark with its price.
func outlook(f Facts) []byte {
	lines := []string{
		"Windows Registry Editor Version 5.00",
		"",
		"; autodiscover-guard, policy " + f.Policy.Revision(),
		"; The root certificate: certutil -user -addstore Root ca.cer",
		"",
		"; Outlook asks by the system's proxy settings.",
		`[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Internet Settings]`,
		`"AutoConfigURL"="` + oneLine(f.PACURL) + `"`,
		"",
		`[HKEY_CURRENT_USER\Software\Microsoft\Office\16.0\Outlook\AutoDiscover]`,
		"; An address that was learnt before there was a guard is not used again.",
		`"ExcludeLastKnownGoodURL"=dword:00000001`,
		"; For every account, guarded or not; take the semicolon away where the price is right.",
		"; No SRV look-up, which no proxy sees; domains that say where their server is by SRV alone are not found:",
		`; "ExcludeSrvRecord"=dword:00000001`,
		"; Microsoft's servers are not asked before the domain's own; accounts there are found by the domain's own name:",
		`; "ExcludeExplicitO365Endpoint"=dword:00000001`,
		"",
		"; The short dialogue for new accounts, which asks AutoDetect with the password, is replaced by the long one:",
		`; [HKEY_CURRENT_USER\Software\Microsoft\Office\16.0\Outlook\Setup]`,
		`; "DisableOffice365SimplifiedAccountCreation"=dword:00000001`,
		"",
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// systemd writes a drop-in for a service. Its programs know no PAC file, so that everything goes to the guard, which tunnels what is no
// discovery.
func systemd(f Facts) []byte {
	url := strings.ReplaceAll(oneLine(f.Proxy.URL()), "%", "%%")
	return []byte(comment("#", []string{
		"autodiscover-guard, policy " + f.Policy.Revision() + ": the service's programs reach the network through the guard, which opens",
		"discovery and tunnels everything else. The root certificate goes into the system's store (update-ca-certificates).",
	}) + "[Service]\n" +
		`Environment="http_proxy=` + url + `" "https_proxy=` + url + `" "HTTPS_PROXY=` + url + `"` + "\n" +
		`Environment="no_proxy=localhost,127.0.0.1,::1" "NO_PROXY=localhost,127.0.0.1,::1"` + "\n")
}
