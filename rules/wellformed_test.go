package rules_test

import (
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestJudge_notWellFormed: a document that strict readers turn down is not passed as it stands, even where every server in it is own, because those that read on read something else.
// exchangelib 4.9 found user@lab.test.stranger.net in the third.
func TestJudge_notWellFormed(t *testing.T) {
	lab := rules.Rule{Name: "lab", Domains: []string{"lab.test"}, Allow: []string{"*.lab.test", "lab.test"}}
	const declaration, attributes = `<?xml version="1.0" encoding="utf-8"`, `<Account a="1"`
	for body, want := range map[string]rules.Action{
		`<EwsUrl>https://mail.lab.test/x?a=1&amp;b=2</EwsUrl>`:                   rules.ActionPass,
		`<RedirectAddr>user@lab.test</RedirectAddr>`:                             rules.ActionPass,
		`<RedirectAddr>user@lab.test&amp;.stra&amp;nger.n&amp;et</RedirectAddr>`: rules.ActionRefuse,
		`<EwsUrl>https://mail.lab.test/&amp;.stra&amp;nger.n&amp;et/x</EwsUrl>`:  rules.ActionPass,
		`<Server>lab.test</Server><OWAUrl>/&amp;/stranger.n&amp;et/x</OWAUrl>`:   rules.ActionPass,
	} {
		document := declaration + `?><Autodiscover><Response>` + attributes + ` b="2"><Action>settings</Action><Protocol><Type>EXCH</Type>` + body + `</Protocol></Account></Response></Autodiscover>`
		for _, text := range [...]string{
			document, "\n" + document, strings.Replace(document, declaration, declaration+` x="y"`, 1), strings.Replace(document, attributes+" ", attributes, 1),
			strings.Replace(document, `"1.0"`, `'1.0"`, 1), strings.Replace(document, "<Type>", "<Type a='&#xD800;'>", 1), document + "&#10;",
		} {
			want := want
			if want == rules.ActionPass && text != document {
				want = rules.ActionEdit
			}
			a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}, Body: []byte(text)}
			d := judged(withRules(t, lab), poxQuestion("lab.test"), a)
			if d.Action != want || want == rules.ActionEdit && !strings.HasPrefix(string(d.Answer.Body), declaration+`?><Autodiscover>`) {
				t.Errorf("%s: %v, want %v: %s: %s", text, d.Action, want, d.Reason, d.Answer.Body)
			}
		}
	}
}
