package intercept_test

import (
	"net/http"
	"testing"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// TLS to a host that lies below an opened name and is closed passes unread, whichever way it comes; its neighbours are opened as ever.
func TestClosed_passesUnread(t *testing.T) {
	policy, err := rules.New(rules.Config{Close: []string{"imap.lab.test"}})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, jsonAnswer("reached"), func(c *intercept.Config, _ *proxyServer, _ *world) { c.Policy = policy })
	for _, door := range everyDoor {
		if door.scheme != "https" {
			continue
		}
		for host, issuer := range map[string]string{"imap.lab.test": "web", "lab.test": "guard"} {
			got := send(t, door.client(w), request(t, http.MethodGet, "https://"+host+"/", ""))
			if by := got.TLS.PeerCertificates[0].Issuer.CommonName; got.body != "reached" || by != issuer {
				t.Errorf("%s, %s: got %d %q, with a certificate of %q; want %q", door.name, host, got.StatusCode, got.body, by, issuer)
			}
		}
	}
}
