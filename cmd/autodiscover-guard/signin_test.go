package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// A person signs in to a page that is served over TLS: with a wrong token, with the right one, and out again.
func TestSignIn_in_Chromium(t *testing.T) {
	const token = "a-token-that-only-this-test-knows-of"
	service, err := lab.Start([]string{lab.AutoDetectHost}, lab.AutoDetect())
	must(err)
	defer service.Close()
	guard := newProcess(t, service)
	cmd := browser(t, "signin.js", "")
	write(t, filepath.Join(guard.dir, "token"), token+"\n")
	file := filepath.Join(guard.dir, "admin.pem")
	if out, err := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", file+".key", "-out", file, "-days", "2", "-subj", "/CN=guard", "-addext", "subjectAltName=IP:127.0.0.1").CombinedOutput(); err != nil {
		t.Skip("openssl makes no certificate: ", err, string(out))
	}
	settings, err := os.ReadFile(filepath.Join(guard.dir, "guard.yaml"))
	must(err)
	write(t, filepath.Join(guard.dir, "guard.yaml"), string(settings)+"listen: {admin_certificate: admin.pem, admin_key: admin.pem.key, admin_token_file: token}\n")
	guard.start(t)
	if _, err := guard.ask(t.Context(), "user@example.com"); err != nil {
		t.Fatal(err)
	}
	origin := "https://" + guard.said("admin")
	cmd.Args[3] = origin
	cmd.Stdin, cmd.Stderr = strings.NewReader(token), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var seen struct {
		Problems, Requests              []string
		Axe                             map[string][]string
		Closed, Wrong, After            int
		Focus, Said, Open, Script, Left string
		Cookies                         []struct {
			Name, Value, SameSite string
			HTTPOnly, Secure      bool
		}
	}
	must(json.Unmarshal(out, &seen))
	guard.kill(t) // what it has said is whole then
	for name, ok := range map[string]bool{
		"no page without a token":     seen.Closed == 401 && seen.Focus == "token",
		"a wrong token":               seen.Wrong == 401 && seen.Said == "That is not the token.",
		"the page":                    seen.Open == origin+"/",
		"one cookie, not for scripts": len(seen.Cookies) == 1 && seen.Script == "",
		"its flags":                   len(seen.Cookies) == 1 && seen.Cookies[0].HTTPOnly && seen.Cookies[0].Secure && seen.Cookies[0].SameSite == "Strict",
		"it does not hold the token":  len(seen.Cookies) == 1 && !strings.Contains(seen.Cookies[0].Value, token),
		"signed out":                  seen.Left == origin+"/sign-in" && seen.After == 401,
		"no request holds the token":  len(seen.Requests) > 3 && !strings.Contains(strings.Join(seen.Requests, " "), token),
		"nothing to complain":         len(seen.Problems) == 0,
		"axe":                         len(seen.Axe) == 3 && len(seen.Axe["sign-in"])+len(seen.Axe["sign-in-dark"])+len(seen.Axe["signed-in"]) == 0,
		"the log does not hold it":    !strings.Contains(guard.stderr.String(), token),
	} {
		if !ok {
			t.Errorf("%s: %s", name, out)
		}
	}
}
