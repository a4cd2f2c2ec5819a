package console

import (
	_ "embed"
	"html/template"
	"net/http"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
)

//go:embed setup.html
var setupHTML string

//go:embed setup.css
var setupCSS string

var setupTemplate = template.Must(template.New("setup.html").Parse(setupHTML))

// setupPage says how to set clients up: plain HTML that asks for nothing beyond itself and runs nothing. Its one style sheet stands in it, and
// the policy names that by its digest.
func setupPage(c Config) http.HandlerFunc {
	style := baseCSS + setupCSS
	policy := contentPolicy(style, "", false)
	return func(w http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host // a name of ours: others are turned away before
		if r.TLS != nil {
			base = "https://" + r.Host
		}
		sendPage(w, http.StatusOK, policy, setupTemplate, map[string]any{
			"Style":       template.CSS(style), //nolint:gosec // G203: files of this program
			"Fingerprint": c.Status().Authority, "Proxy": c.Proxy, "Base": base, "Alone": c.Alone, "Platforms": platforms(base, c.Root().Subject.CommonName, c.Proxy),
		})
	}
}

// platform is one section of the page, and step a sentence with the commands that belong to it.
type (
	platform struct {
		ID, Name string
		Steps    []step
	}
	step struct{ Say, Run string }
)

// platforms are the sections; name is the root's. Commands end in nothing that a shell would have to ask for; where one changes the whole computer it says sudo.
func platforms(base, name string, proxy companion.Proxy) []platform {
	pac := base + "/proxy.pac"
	fetch := "curl -fsSo ca.pem " + base + "/ca.pem && openssl x509 -in ca.pem -noout -fingerprint -sha256"
	const store = "store=$HOME/.pki/nssdb; [ -d $store ] || store=$HOME/.local/share/pki/nssdb\n" // Chromium 156 makes the second, and uses the first where there is one
	return []platform{
		{"windows", "Windows", []step{
			{"Fetch, compare the fingerprint, trust (Windows, Outlook, Edge, Chrome):", "curl.exe -fsSo ca.cer " + base + "/ca.cer\ncertutil -hashfile ca.cer SHA256\ncertutil -user -addstore Root ca.cer"},
			{"Set the PAC file (Settings, Network and Internet, Proxy, Use setup script), or:", `reg add "HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings" /v AutoConfigURL /t REG_SZ /d ` + pac + " /f"},
			{"Undo:", "certutil -user -delstore Root \"" + name + "\"\n" + `reg delete "HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings" /v AutoConfigURL /f`},
		}},
		{"macos", "macOS", []step{
			{"Fetch, compare the fingerprint, trust:", fetch + "\nsudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ca.pem"},
			{"Set the PAC file for a network service (networksetup -listallnetworkservices names them):", "networksetup -setautoproxyurl Wi-Fi " + pac},
			{"Undo:", "sudo security remove-trusted-cert -d ca.pem\nnetworksetup -setautoproxystate Wi-Fi off"},
		}},
		{"ios", "iOS and iPadOS", []step{
			{"Bring ca.mobileconfig to the device (AirDrop, a mail, an MDM) and install it: Settings, General, VPN and Device Management. Then switch the root on: Settings, General, About, Certificate Trust Settings.", ""},
			{"Set the PAC file for the network: Settings, Wi-Fi, the network, Configure Proxy, Automatic. The device must reach it: put it on a web server of yours.", "autodiscover-guard setup print --for pac >proxy.pac"},
			{"Undo: remove the profile in the same place, and configure the network's proxy as Off.", ""},
		}},
		{"android", "Android", []step{
			{"Bring ca.cer to the device: Settings, Security, Encryption and credentials, Install a certificate, CA certificate. Since Android 7 an app trusts it only if its maker says so; a mail app that does not gets no answer, and so is told no server.", ""},
			{"Set the PAC file for the network: Settings, Network, the network, Modify, Advanced, Proxy, Proxy Auto-Config.", ""},
			{"Undo: remove the certificate from the user's credentials in the same place, and set the network's proxy to None.", ""},
		}},
		{"linux", "Debian, Fedora, GNOME", []step{
			{"Fetch and compare the fingerprint:", fetch},
			{"Debian, Ubuntu:", "sudo cp ca.pem /usr/local/share/ca-certificates/autodiscover-guard.crt && sudo update-ca-certificates"},
			{"Fedora, Red Hat:", "sudo cp ca.pem /etc/pki/ca-trust/source/anchors/autodiscover-guard.pem && sudo update-ca-trust"},
			{"Set the PAC file for GNOME (Evolution, Geary):", "gsettings set org.gnome.system.proxy autoconfig-url " + pac + "\ngsettings set org.gnome.system.proxy mode auto"},
			{"Programs that know no PAC file (curl, exchangelib, servers) send everything; the guard tunnels what is no discovery:", "export https_proxy=" + proxy.URL() + " http_proxy=" + proxy.URL()},
			{"Undo, Debian, Ubuntu:", "sudo rm /usr/local/share/ca-certificates/autodiscover-guard.crt && sudo update-ca-certificates --fresh"},
			{"Undo, Fedora, Red Hat:", "sudo rm /etc/pki/ca-trust/source/anchors/autodiscover-guard.pem && sudo update-ca-trust"},
			{"Undo, GNOME:", "gsettings reset org.gnome.system.proxy mode\ngsettings reset org.gnome.system.proxy autoconfig-url"},
		}},
		{"thunderbird", "Thunderbird and Firefox", []step{
			{"Settings, Privacy and Security, Certificates, Authorities, Import; then Settings, General, Network and Disk Space, Connection, Automatic proxy configuration URL. Or put it into the profile while the program is closed:", "certutil -A -t C,, -n autodiscover-guard -i ca.pem -d sql:PROFILE"},
			{"For a fleet, in distribution/policies.json, or /etc/thunderbird/policies and /etc/firefox/policies:", "autodiscover-guard setup print --for thunderbird"},
			{"Undo, in the same places, or:", "certutil -D -n autodiscover-guard -d sql:PROFILE"},
		}},
		{"chromium", "Chromium on Linux", []step{
			{"Trust in the user's store, which Chromium makes, and the PAC file for one start (for good: the policies ProxyMode and ProxyPacUrl):", store + "certutil -A -t C,, -n autodiscover-guard -i ca.pem -d sql:$store\nchromium --proxy-pac-url=" + pac},
			{"Undo:", store + "certutil -D -n autodiscover-guard -d sql:$store"},
		}},
		{"java", "Java", []step{
			{"Trust in the runtime's own store, and the proxy of the system:", "keytool -importcert -cacerts -storepass changeit -noprompt -alias autodiscover-guard -file ca.pem\njava -Djava.net.useSystemProxies=true ..."},
			{"Undo:", "keytool -delete -cacerts -storepass changeit -alias autodiscover-guard"},
		}},
	}
}
