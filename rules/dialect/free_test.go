package dialect_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"autodiscover-guard/rules/dialect"
)

// TestDocument_Free reads one document after the other in the same memory: what the earlier ones held stays, and the later ones hold nothing of theirs.
func TestDocument_Free(t *testing.T) {
	for _, f := range []struct {
		name, url, mark string
		write           func(servers, reader, round int) dialect.Answer
	}{
		{"pox", "https://corp.net/autodiscover/autodiscover.xml", "<Server>", protocols},
		{"autodetect", "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect?email=user@corp.net", `"hostname"`, detected},
	} {
		t.Run(f.name, func(t *testing.T) {
			u, err := url.Parse(f.url)
			if err != nil {
				t.Fatal(err)
			}
			q, ok := dialect.Recognise(dialect.Request{Method: http.MethodGet, URL: u})
			if !ok {
				t.Fatal("not recognised")
			}
			var all sync.WaitGroup
			for reader := range 4 {
				all.Go(func() {
					var before []dialect.Suggestion
					var names []string
					for round := range 200 {
						servers := 1 + (round*7+reader)%50 // larger and smaller ones in turn
						found := readAndFree(t, q, f.write(servers, reader, round), servers, reader, round, f.mark)
						for n, s := range before {
							if s.Host != names[n] {
								t.Errorf("suggestion %d of the document before has become %q, was %q", n, s.Host, names[n])
							}
						}
						before, names = found, hosts(found)
					}
				})
			}
			all.Wait()
		})
	}
}

// readAndFree reads an answer with so many servers, edits it every other time, and frees it.
func readAndFree(t *testing.T, q dialect.Inquiry, a dialect.Answer, servers, reader, round int, mark string) []dialect.Suggestion {
	t.Helper()
	d, err := dialect.Read(q, a)
	if err != nil || len(d.Suggestions) != servers || !d.Plain {
		t.Errorf("%d servers: %d suggestions, plain %v, %v", servers, len(d.Suggestions), d.Plain, err)
		return nil
	}
	for n, s := range d.Suggestions {
		if want := serverName(n, reader, round); s.Host != want || s.Was != want {
			t.Errorf("suggestion %d is %q (%q), want %q", n, s.Host, s.Was, want)
		}
	}
	if round%2 == 0 {
		answer, err := d.Edit(judge(d.Suggestions))
		if kept := strings.Count(string(answer.Body), mark); kept != (servers+1)/2 || err != nil {
			t.Errorf("%d of %d servers are left, %v: %s", kept, servers, err, answer.Body)
		}
	}
	d.Free()
	if _, err := d.Edit(judge(d.Suggestions)); !errors.Is(err, dialect.ErrUnreadable) {
		t.Errorf("editing what was freed: %v, want %v", err, dialect.ErrUnreadable)
	}
	return d.Suggestions
}

func serverName(n, reader, round int) string {
	return fmt.Sprintf("s%d-%d-%d.corp.net", n, reader, round)
}

func protocols(servers, reader, round int) dialect.Answer {
	var s strings.Builder
	s.WriteString(`<?xml version="1.0" encoding="utf-8"?><Autodiscover><Response><Account>`)
	for n := range servers {
		fmt.Fprintf(&s, "<Protocol><Type>IMAP</Type><Server>%s</Server></Protocol>", serverName(n, reader, round))
	}
	s.WriteString("</Account></Response></Autodiscover>")
	return xmlAnswer(s.String())
}

func detected(servers, reader, round int) dialect.Answer {
	var s strings.Builder
	s.WriteString(`{"email":"user@corp.net","services":[],"protocols":[`)
	for n := range servers {
		if n > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"protocol":"imap","hostname":%q}`, serverName(n, reader, round))
	}
	s.WriteString("]}")
	return dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(s.String())}
}

// judge keeps every other suggestion.
func judge(all []dialect.Suggestion) []dialect.Suggestion {
	all = slices.Clone(all)
	for i := range all {
		all[i].Verdict, all[i].Now = dialect.Keep, all[i].Was
		if i%2 == 1 {
			all[i].Verdict, all[i].Now = dialect.Remove, ""
		}
	}
	return all
}

func hosts(all []dialect.Suggestion) (names []string) {
	for _, s := range all {
		names = append(names, strings.Clone(s.Host))
	}
	return names
}
