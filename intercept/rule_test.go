package intercept_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

func operator(tb testing.TB, all ...rules.Rule) *rules.Policy {
	tb.Helper()
	p, err := rules.New(rules.Config{Rules: all})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func governed(by *rules.Policy) option {
	return func(c *intercept.Config, _ *goproxy.ProxyHttpServer, _ *world) { c.Policy = by }
}

// TestSwap_underLoad: while policies change all the time, every request is answered, and each by one policy as a whole: the client is told the
// stranger only by the policy that allows it, and the record names that policy.
func TestSwap_underLoad(t *testing.T) {
	t.Parallel()
	lenient := operator(t, rules.Rule{Name: "lenient", Domains: []string{"lab.test"}, Allow: []string{"*.lab.test", stranger}})
	strict := operator(t, rules.Rule{Name: "strict", Domains: []string{"lab.test"}, Allow: []string{"*.lab.test"}})
	w := newWorld(t, jsonAnswer(suggest("user@lab.test", "imap.lab.test", stranger)), governed(strict))
	const clients, each = 4, 50
	stop := make(chan struct{})
	var swapping, asking sync.WaitGroup
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := w.plugin.Swap([]*rules.Policy{lenient, strict}[i%2]); err != nil {
				t.Error(err)
			}
		}
	})
	var told, kept [clients]int
	for n := range clients {
		asking.Go(func() {
			client := w.client(n%2 == 0)
			for range each {
				got := sent(client, ask(t, "https", "user@lab.test"))
				if got.StatusCode != http.StatusOK {
					t.Errorf("status %d, %v", got.StatusCode, got.err)
				}
				if strings.Contains(got.body, stranger) {
					told[n]++
				} else {
					kept[n]++
				}
			}
		})
	}
	asking.Wait()
	close(stop)
	swapping.Wait()
	w.decision(clients * each)
	lenientSeen, strictSeen := 0, 0
	for _, entry := range w.decisions.All() {
		record := entry.ContextMap()
		switch record["policy"] {
		case lenient.Revision():
			lenientSeen++
			if record["action"] != "pass" || record["rule"] != "lenient" {
				t.Errorf("half a policy: %v by %v", record["action"], record["rule"])
			}
		case strict.Revision():
			strictSeen++
			if record["action"] != "refuse" || record["rule"] != "strict" {
				t.Errorf("half a policy: %v by %v", record["action"], record["rule"])
			}
		default:
			t.Errorf("policy %v", record["policy"])
		}
	}
	sum := func(all [clients]int) (n int) {
		for _, v := range all {
			n += v
		}
		return n
	}
	if lenientSeen == 0 || strictSeen == 0 {
		t.Errorf("one policy was never in force: %d and %d", lenientSeen, strictSeen)
	}
	if sum(told) != lenientSeen || sum(kept) != strictSeen {
		t.Errorf("told %d and kept %d, the records say %d and %d", sum(told), sum(kept), lenientSeen, strictSeen)
	}
}

// TestRule_answersLocally: nobody is asked, at every door, and HEAD has no body.
func TestRule_answersLocally(t *testing.T) {
	lab := rules.Rule{
		Name: "lab", Domains: []string{"lab.test"}, Allow: []string{"*.lab.test"}, Answer: rules.AnswerLocal,
		Servers: []dialect.Server{{Protocol: "imap", Host: "imap.lab.test"}},
	}
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("upstream was asked") }, governed(operator(t, lab)))
			got := send(t, door.client(w), ask(t, door.scheme, "user@lab.test"))
			if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "imap.lab.test") {
				t.Errorf("%d %q", got.StatusCode, got.body)
			}
			record := w.decision(1)
			if record["action"] != "answer" || record["rule"] != "lab" || record["mode"] != "enforce" {
				t.Errorf("%v", record)
			}
		})
	}
}

// TestRule_monitors: the client gets upstream's bytes and upstream the client's password, as without the guard; the record has the rest.
func TestRule_monitors(t *testing.T) {
	watch := rules.Rule{Name: "watch", Domains: []string{"example.com"}, Mode: rules.Monitor}
	answer := suggest("email@example.com", stranger)
	var secret bool
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		secret = given == password
		jsonAnswer(answer)(rw, r)
	}, governed(operator(t, watch)))
	if got := send(t, w.client(false), ask(t, "https", "email@example.com")); got.body != answer {
		t.Errorf("got %q", got.body)
	}
	record := w.decision(1)
	if record["mode"] != "monitor" || record["action"] != "pass" || record["would"] != "refuse" || record["rule"] != "watch" || !secret {
		t.Errorf("secret %v: %v", secret, record)
	}
	if got := w.plugin.Stats().Quarantined; got != 0 {
		t.Errorf("%d in quarantine, want none", got)
	}
	// Where upstream fails there is nothing to monitor, and nothing is refused in the rule's name.
	w.secure.Close()
	if got := send(t, w.client(false), ask(t, "https", "email@example.com")); got.StatusCode != http.StatusBadGateway {
		t.Errorf("status %d", got.StatusCode)
	}
}

// TestPrivacy: how much of an address a record holds.
func TestPrivacy(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	for _, c := range []struct {
		name    string
		privacy intercept.Privacy
		account string
		want    func(got []any) bool
	}{
		{"domain", intercept.PrivacyDomain, "email@example.com", func(got []any) bool { return len(got) == 0 }},
		{"full", intercept.PrivacyFull, "email@example.com", func(got []any) bool { return len(got) == 1 && got[0] == "email@example.com" }},
		{"hash", intercept.PrivacyHash, "email@example.com", func(got []any) bool {
			return len(got) == 1 && strings.HasSuffix(got[0].(string), "@example.com") && !strings.Contains(got[0].(string), "email")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"), func(config *intercept.Config, _ *goproxy.ProxyHttpServer, _ *world) {
				config.Privacy, config.PrivacyKey = c.privacy, key
			})
			client := w.client(false)
			send(t, client, ask(t, "https", c.account))
			send(t, client, ask(t, "https", strings.ToUpper(c.account)))
			first, _ := w.decision(1)["accounts"].([]any)
			second, _ := w.decision(2)["accounts"].([]any)
			if !c.want(first) {
				t.Errorf("accounts %v", first)
			}
			if c.privacy == intercept.PrivacyHash && first[0] != second[0] {
				t.Errorf("one account has two pseudonyms: %v, %v", first, second)
			}
		})
	}
	if _, err := intercept.New(intercept.Config{Policy: operator(t), Issuer: newAuthority(t, "guard"), Privacy: intercept.PrivacyHash}); err == nil {
		t.Error("a hash without a key was accepted")
	}
}
