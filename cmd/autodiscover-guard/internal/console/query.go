package console

import (
	"cmp"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// maxQuery bounds each field of the form.
const maxQuery = 256

// query is what the form of the page asks for. Fields that are empty let everything through.
type query struct {
	Domain, Client, Action, Dialect, Rule, Text string
	// Problem says what is wrong with a field; nothing fits then.
	Problem string

	filter review.Filter
}

// actions are what the form offers: those of a record, and one more for records of rules that only monitor.
var actions = append(review.Actions(), wouldChange)

// wouldChange asks for what passed only because its rule monitors.
const wouldChange = "would change"

// readQuery reads the form. It is a GET form, so that a view can be a bookmark.
func readQuery(r *http.Request) query {
	values := r.URL.Query()
	field := func(name string) string {
		text := strings.TrimSpace(values.Get(name))
		return strings.ToValidUTF8(text[:min(len(text), maxQuery)], "")
	}
	q := query{
		Domain: field("domain"), Client: field("client"), Action: field("action"), Dialect: field("dialect"), Rule: field("rule"),
		Text: field("text"),
	}
	if q.Client != "" {
		p, err := review.ParseClient(q.Client)
		if err != nil {
			q.Problem = err.Error()
		}
		q.filter.Clients = []netip.Prefix{p}
	}
	if q.Domain != "" {
		d, err := review.ParseDomain(q.Domain)
		if err != nil {
			q.Problem = err.Error()
		}
		q.filter.Domains = []string{d}
	}
	one := func(list *[]string, value string) {
		if value != "" {
			*list = []string{value}
		}
	}
	one(&q.filter.Dialects, q.Dialect)
	one(&q.filter.Rules, q.Rule)
	if q.Action != wouldChange {
		one(&q.filter.Actions, q.Action)
	}
	return q
}

// fits reports whether a record is asked for.
func (q *query) fits(r *review.Record) bool {
	return q.Problem == "" && q.filter.Match(r) && (q.Action != wouldChange || r.Would != "" && r.Would != "pass") && q.mentions(r)
}

// mentions looks for the text, in whatever case, among a record's own words; its keys do not count.
func (q *query) mentions(r *review.Record) bool {
	if q.Text == "" {
		return true
	}
	text := strings.ToLower(q.Text)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	return slices.ContainsFunc([]string{r.Exchange, r.Rule, r.Reason, r.Client, r.Door, r.Host, r.Path, r.ReservedBy, r.Upstream.Error}, has) ||
		slices.ContainsFunc(r.Subjects, has) || slices.ContainsFunc(r.Accounts, has) || slices.ContainsFunc(r.Strangers, has) ||
		slices.ContainsFunc(r.Suggestions, func(s review.Suggestion) bool { return has(s.Was) || has(s.Now) })
}

// empty reports whether nothing is asked for in particular.
func (q *query) empty() bool {
	return cmp.Or(q.Domain, q.Client, q.Action, q.Dialect, q.Rule, q.Text) == ""
}

// encode writes the fields as the form sends them, without those that are empty, and more besides: name, value, name, value.
func (q *query) encode(more ...string) string {
	v := url.Values{}
	fields := append([]string{"domain", q.Domain, "client", q.Client, "action", q.Action, "dialect", q.Dialect, "rule", q.Rule, "text", q.Text}, more...)
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] != "" {
			v.Set(fields[i], fields[i+1])
		}
	}
	return v.Encode()
}
