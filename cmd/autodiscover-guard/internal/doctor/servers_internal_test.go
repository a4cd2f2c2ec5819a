package doctor

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an administrator is told of his own servers, by the records of their answers.
func TestServers(t *testing.T) {
	const (
		settings = `{"host":"autoconfig.corp.test","action":"edit","upstream":{"asked":true},"suggestions":[{"verdict":"remove"},{"verdict":"keep"}]}`
		removed  = `{"host":"autoconfig.corp.test","action":"edit","upstream":{"asked":true},"suggestions":[{"verdict":"remove"}]}`
		refused  = `{"host":"autoconfig.corp.test","action":"refuse","upstream":{"asked":true},"suggestions":[{"verdict":"keep"}]}`
		absent   = `{"host":"corp.test","action":"refuse","upstream":{"asked":true,"error":"dns"}}`
		closed   = `{"host":"corp.test","action":"refuse","upstream":{"asked":true,"error":"connect"}}`
		private  = `{"host":"autodiscover.corp.test","action":"refuse","upstream":{"asked":true,"error":"private address"}}`
		tls      = `{"host":"autodiscover.corp.test","action":"refuse","upstream":{"asked":true,"error":"tls","check":"expired"}}`
		slow     = `{"host":"autodiscover.corp.test","action":"refuse","upstream":{"asked":true,"error":"timeout"}}`
		central  = `{"host":"autoconfig.thunderbird.net","action":"refuse","upstream":{"asked":true,"error":"timeout"}}`
		sibling  = `{"host":"autodiscover.othercorp.test","action":"refuse","upstream":{"asked":true,"error":"timeout"}}`
		unasked  = `{"host":"corp.test","action":"refuse","upstream":{"asked":false}}`
	)
	for _, c := range []struct {
		name    string
		records []string
		want    []Finding
	}{
		{"settings", []string{absent, refused, settings, refused}, []Finding{ok("corp.test", "clients get settings from autoconfig.corp.test")}},
		{"what is removed or refused is none", []string{removed, refused}, []Finding{ok("corp.test", "no settings for the made-up account at autoconfig.corp.test")}},
		{"none there", []string{absent, closed}, []Finding{ok("corp.test", "it has none: no name resolves to a host that takes the connection")}},
		{"not dialled", []string{private, settings}, []Finding{
			warning("corp.test", "autodiscover.corp.test has a private address, and is not dialled", "list its network in upstream.private"),
			ok("corp.test", "clients get settings from autoconfig.corp.test"),
		}},
		{"the first problem is told", []string{tls, slow}, []Finding{
			warning("corp.test", "autodiscover.corp.test is not believed: its TLS failed the check expired", "give it a valid certificate for its name, or name the CA that signed it in upstream.roots"),
		}},
		{"no answer", []string{slow}, []Finding{
			warning("corp.test", "autodiscover.corp.test gave no answer: timeout", "see its decision records: they have how long it took, and what was asked"),
		}},
		{"not his", []string{central, sibling, unasked}, []Finding{skipped("corp.test", "none of its hosts was asked: the policy does not let them be asked, or answers itself")}},
	} {
		e := &examination{own: "corp.test", log: &records{path: "decisions.jsonl"}}
		for _, text := range c.records {
			var d decision
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			e.mine = append(e.mine, d)
		}
		if diff := cmp.Diff(c.want, e.servers(t.Context()), cmp.AllowUnexported(Finding{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
		e.own = ""
		if found := e.servers(t.Context()); found != nil {
			t.Errorf("%s: without a domain of the operator's: %v", c.name, found)
		}
	}
}
