package dialect_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"autodiscover-guard/rules/dialect"
)

// foreignParsers are the parsers. What they cannot tell is in their column of sees, not in the documents.
var foreignParsers = []foreignParser{
	{
		name: "Thunderbird reads clientConfig", dialect: dialect.Autoconfig, command: thunderbird("autoconfig"),
		sees: func(s dialect.Settings, v dialect.Server) (readServer, bool) {
			if v.Protocol == "ews" {
				return readServer{Protocol: "ews", Host: v.Host, Encryption: "ssl", Username: s.Address, URL: v.URL}, true
			}
			return mailServer(s, v)
		},
		names: true, refused: "Need proper <incomingServer> in XML file",
	},
	{
		name: "Thunderbird reads POX", dialect: dialect.POX, command: thunderbird("pox"),
		sees:    mailServer,
		refused: "No valid configs found in AutoDiscover XML",
	},
	{
		name: "Horde reads clientConfig", dialect: dialect.Autoconfig, command: horde,
		sees: func(s dialect.Settings, v dialect.Server) (readServer, bool) {
			r, ok := mailServer(s, v)
			if r.Encryption != "ssl" { // it knows nothing of STARTTLS, which its mail library uses where it can
				r.Encryption = ""
			}
			return r, ok
		},
		names: true, refused: "nothing found",
	},
	{
		name: "exchangelib reads POX", dialect: dialect.POX, command: exchangelib("pox"),
		sees: func(s dialect.Settings, v dialect.Server) (readServer, bool) {
			r, ok := mailServer(s, v)
			if r.Encryption == "starttls" { // SSL is all that it reads
				r.Encryption = "ssl"
			}
			return r, ok
		},
		names: true, refused: "ErrorNonExistentMailbox: The SMTP address has no mailbox associated with it",
	},
	{
		name: "exchangelib reads SOAP", dialect: dialect.SOAP, command: exchangelib("soap"),
		sees: func(_ dialect.Settings, v dialect.Server) (readServer, bool) {
			return readServer{Protocol: "ews", URL: v.URL}, v.Protocol == "ews"
		},
		names: true, address: true, refused: "ErrorNonExistentMailbox: Invalid user: 'user@lab.test'.",
	},
	{
		name: "ews-javascript-api reads SOAP", dialect: dialect.SOAP, command: node("ews-javascript-api", "ews.js"),
		sees: func(s dialect.Settings, v dialect.Server) (readServer, bool) {
			if v.Protocol == "ews" {
				return readServer{Protocol: "ews", URL: v.URL}, true
			}
			r, ok := mailServer(s, v)
			r.Username = "" // the format has no place for it
			return r, ok
		},
		names: true, address: true, refused: "InvalidUser: Invalid user: 'user@lab.test'.",
	},
	{
		name: "npm's autodiscover reads POX", dialect: dialect.POX, command: node("autodiscover", "autodiscover.js"),
		blind: "Not redirect", refused: "Not redirect",
	},
	{
		name: "libplist and plistlib read a profile", dialect: dialect.MobileConfig, command: standard("mobileconfig", "plistutil", "libplist-utils"),
		sees: func(s dialect.Settings, v dialect.Server) (readServer, bool) {
			r, ok := mailServer(s, v)
			if r.Encryption != "none" { // one switch for both kinds of TLS
				r.Encryption = "tls"
			}
			if v.Protocol == "activesync" {
				return readServer{Protocol: "activesync", Host: v.Host, Encryption: "ssl", Username: s.Address}, true
			}
			return r, ok
		},
		names: true, address: true,
	},
	{
		name: "ElementTree reads MobileSync", dialect: dialect.MobileSync, command: standard("mobilesync", "python3", "python3"),
		sees: func(_ dialect.Settings, v dialect.Server) (readServer, bool) {
			return readServer{Protocol: "activesync", URL: v.URL}, v.Protocol == "activesync"
		},
		names: true, address: true, refused: "error 601",
	},
}

// mailServer is a mail server with everything that can be told of it.
func mailServer(s dialect.Settings, v dialect.Server) (readServer, bool) {
	username := v.Username
	if username == "" {
		username = s.Address
	}
	return readServer{Protocol: v.Protocol, Host: v.Host, Port: v.Port, Encryption: v.Encryption, Username: username},
		v.Protocol == "imap" || v.Protocol == "pop3" || v.Protocol == "smtp"
}

// script is one of the drivers; they run elsewhere than here.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", "parsers", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// missing skips a test for want of something that others wrote.
func missing(t *testing.T, what, install string) {
	t.Helper()
	t.Skipf("%s is not installed: %s, or .ci/run packages", what, install)
}

// node runs a script for a package of npm.
func node(npm, name string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		if _, err := os.Stat(filepath.Join(parserFolder(), "node_modules", filepath.FromSlash(npm))); err != nil {
			missing(t, npm, "npm install --prefix \"$"+parserDir+"\" "+npm)
		}
		program, err := exec.LookPath("node")
		if err != nil {
			missing(t, "node", "package nodejs")
		}
		return []string{program, script(t, name)}
	}
}

// thunderbird runs its modules, which the packages section of .ci/run takes out of Debian's package.
func thunderbird(mode string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		modules := filepath.Join(parserFolder(), "thunderbird", "modules")
		if _, err := os.Stat(filepath.Join(modules, "JXON.sys.mjs")); err != nil {
			missing(t, "Thunderbird's parser", "modules/ of omni.ja in package thunderbird, in $"+parserDir+"/thunderbird")
		}
		command := node("@xmldom/xmldom", "thunderbird.js")(t)
		return []string{command[0], "--no-warnings", "--experimental-vm-modules", command[1], modules, mode}
	}
}

func horde(t *testing.T) []string {
	t.Helper()
	program, err := exec.LookPath("php")
	if err != nil {
		missing(t, "php", "packages php-cli and php-horde-mail-autoconfig")
	}
	if err := exec.CommandContext(t.Context(), program, "-r", "exit(stream_resolve_include_path('Horde/Mail/Autoconfig.php') ? 0 : 1);").Run(); err != nil {
		missing(t, "Horde", "package php-horde-mail-autoconfig")
	}
	return []string{program, script(t, "horde.php")}
}

// exchangelib reads POX up to version 5.3 alone.
func exchangelib(mode string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		module, pkg := "exchangelib", "package python3-exchangelib"
		if mode == "pox" {
			module, pkg = "exchangelib.autodiscover.properties", "package python3-exchangelib below 5.4"
		}
		// A machine may have a Python of its own before Debian's, which is the one that sees Debian's packages.
		for _, program := range []string{"/usr/bin/python3", "python3"} {
			find := exec.CommandContext(t.Context(), program, "-c", "import importlib.util, sys; sys.exit(not importlib.util.find_spec('"+module+"'))")
			if find.Run() == nil {
				return []string{program, script(t, "exchangelib.py"), mode}
			}
		}
		missing(t, module, pkg)
		return nil
	}
}

// standard runs Python's standard library, and another program beside it.
func standard(mode, beside, pkg string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		if _, err := exec.LookPath(beside); err != nil {
			missing(t, beside, "package "+pkg)
		}
		program, err := exec.LookPath("python3")
		if err != nil {
			missing(t, "python3", "package python3")
		}
		return []string{program, script(t, "standard.py"), mode}
	}
}
