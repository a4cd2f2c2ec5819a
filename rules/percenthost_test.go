package rules_test

import (
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestJudge_escapesInHosts: 134744072 is 8.8.8.8, and to url.parse of Node 20, by which npm's request goes, the host of https://134744072%E3%80%82lab.test/ and no host below lab.test.
func TestJudge_escapesInHosts(t *testing.T) {
	for value, want := range map[string]rules.Action{
		"https://mail.lab.test/%E3%80%82":                     rules.ActionPass,
		"https://user%40lab.test@mail.lab.test/":              rules.ActionPass,
		"https://134744072%E3%80%82lab.test/":                 rules.ActionRefuse,
		"https://134744072%c0%ae.lab.test/":                   rules.ActionRefuse,
		"https://user%40lab.test@134744072%E3%80%82lab.test/": rules.ActionRefuse,
	} {
		v2 := question("https://autodiscover.lab.test/autodiscover/autodiscover.json?Email=user%40lab.test&Protocol=EWS")
		for _, a := range []dialect.Answer{
			{Status: 302, Header: dialect.Header{"Location": {value}}},
			{Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"Protocol":"EWS","Url":"` + value + `"}`)},
		} {
			if d := judged(withRules(t), v2, a); d.Action != want {
				t.Errorf("%s, %d %s: %v, want %v: %s", value, a.Status, a.Body, d.Action, want, d.Reason)
			}
		}
	}
}
