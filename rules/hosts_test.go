package rules_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/reserved"
)

// concerns reads Hosts as a client would that was told them.
func concerns(h rules.Hosts, host string) bool {
	for name := host; name != ""; _, name, _ = strings.Cut(name, ".") {
		if slices.Contains(h.Below, name) {
			return true
		}
		if slices.Contains(h.Except, name) {
			break
		}
	}
	suffix, ok := strings.CutPrefix(host, "autodiscover.")
	return ok && slices.Contains(h.BackOff, suffix)
}

// builtInPolicy is that of nobody who said anything.
func builtInPolicy(t *testing.T) *rules.Policy {
	t.Helper()
	p, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// widePolicy opens more than the built-in one.
func widePolicy(t *testing.T) *rules.Policy {
	t.Helper()
	p, err := rules.New(rules.Config{
		Reserved: reserved.All(), Services: map[string]rules.Mode{"office365": rules.Enforce, "doh": rules.Enforce, "ispdb": rules.Off},
		Open:  []string{"autodiscover.hoster.net", "bücher.example-hoster.de", "mail.contoso.com", "mx.bücher.example-hoster.de", "autodiscover.com.br", "mail.wiki.corp.stranger.net"},
		Close: []string{"wiki.corp.stranger.net", "old.wiki.corp.stranger.net", "bank.test", "not.opened.net"},
		Rules: []rules.Rule{{Name: "pin", Domains: []string{"corp.stranger.net", "*.corp.stranger.net"}, Allow: []string{"*.corp.stranger.net"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHosts_say_what_is_opened_or_shunned(t *testing.T) {
	for name, p := range map[string]*rules.Policy{"built in": builtInPolicy(t), "wide": widePolicy(t)} {
		t.Run(name, func(t *testing.T) {
			h := p.Hosts()
			if !slices.IsSorted(h.Below) || !slices.IsSorted(h.BackOff) || len(h.BackOff) < 500 {
				t.Errorf("%d names, %d suffixes, not sorted or too few", len(h.Below), len(h.BackOff))
			}
			for i, name := range h.Below {
				if concerns(rules.Hosts{Below: slices.Delete(slices.Clone(h.Below), i, i+1), Except: h.Except}, name) {
					t.Errorf("%s is listed, and so is what stands above it", name)
				}
			}
			for _, suffix := range h.BackOff {
				if p.Opens("autodiscover." + suffix) {
					t.Errorf("autodiscover.%s is opened, and listed as never dialled", suffix)
				}
			}
			for i, name := range h.Except {
				if concerns(rules.Hosts{Below: h.Below, Except: slices.Delete(slices.Clone(h.Except), i, i+1)}, name) == p.Opens(name) {
					t.Errorf("%s is an exception, and would be none without that", name)
				}
			}
			random := rand.New(rand.NewPCG(1, 2))
			opened, shunned := 0, 0
			for range 20000 {
				host := someHost(random, h)
				_, shun := p.Shun(host)
				open := p.Opens(host)
				switch got := concerns(h, host); {
				case open && !got:
					t.Fatalf("%s is opened and not listed", host)
				case got && !open && !shun:
					t.Fatalf("%s is listed, and neither opened nor shunned", host)
				case shun && !got && listedSuffix(host):
					t.Fatalf("%s is shunned, its suffix a usual one, and it is not listed", host)
				case open:
					opened++
				case shun:
					shunned++
				}
			}
			if opened < 2000 || shunned < 500 || opened+shunned > 18000 {
				t.Errorf("%d opened, %d shunned: the hosts are no test", opened, shunned)
			}
		})
	}
}

// listedSuffix reports whether a back-off host is one of the kinds that the documentation of Hosts promises.
func listedSuffix(host string) bool {
	suffix := strings.TrimPrefix(host, "autodiscover.")
	label, country, second := strings.Cut(suffix, ".")
	if !second {
		return len(suffix) == 2
	}
	return len(country) == 2 && slices.Contains([]string{"com", "co", "net", "org", "edu", "ac"}, label)
}

// someHost makes a host that is near one of the policy's, or far from all.
func someHost(random *rand.Rand, h rules.Hosts) string {
	labels := []string{"a", "www", "mail", "autodiscover", "autoconfig", "example", "com", "test", "co", "uk", "localhost", "xn--zckzah", "city", "kobe", "jp", "net", "github", "io"}
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	name := pick(append(h.Except, h.Below...))
	switch random.IntN(8) {
	case 0:
		return name
	case 1:
		return pick(labels) + "." + name
	case 2:
		return "evil" + name
	case 3:
		return name + "." + pick(labels)
	case 4:
		return "autodiscover." + pick(h.BackOff)
	case 5:
		return "autodiscover." + pick(labels) + "." + string([]byte{byte('a' + random.IntN(26)), byte('a' + random.IntN(26))})
	case 6:
		_, rest, _ := strings.Cut(name, ".")
		return "a" + rest
	}
	var made []string
	for range 1 + random.IntN(4) {
		made = append(made, pick(labels))
	}
	return strings.Join(made, ".")
}

// A back-off host below a suffix that is no usual one is shunned where it comes, and not listed: the list says less than the policy, never more.
func TestHosts_leave_rare_suffixes_out(t *testing.T) {
	p := builtInPolicy(t)
	for _, suffix := range []string{"nada.kobe.jp", "oslo.no", "pvt.k12.ma.us"} {
		if s, icann := publicsuffix.PublicSuffix(suffix); s != suffix || !icann {
			continue // the list has moved on
		}
		host := "autodiscover." + suffix
		if _, ok := p.Shun(host); !ok || concerns(p.Hosts(), host) {
			t.Errorf("%s: shunned %v, listed %v", host, ok, concerns(p.Hosts(), host))
		}
	}
	for _, host := range []string{"autodiscover.corp", "autodiscover.shop.com", "autodiscover.github.io", "autodiscover.city.kobe.jp"} {
		if concerns(p.Hosts(), host) {
			t.Errorf("%s is listed: it is somebody's own", host)
		}
	}
}

// TestShun: what clients make up is "autodiscover" before a public suffix, or before a reserved name of one label, and nothing else.
func TestShun(t *testing.T) {
	p := builtin(t)
	for host, want := range map[string]bool{
		"autodiscover.com": true, "AutoDiscover.Co.UK.": true, "autodiscover.test": true, "autodiscover.localhost": true, "autodiscover.invalid": true,
		"autodiscover.shop.com": false, "autodiscover.example.com": false, "autodiscover.github.io": false, "autodiscover.corpnet": false, "autodiscover": false, "mail.autodiscover.com": false, "com": false,
	} {
		if d, ok := p.Shun(host); ok != want || ok && (d.Rule != rules.RuleBackOff || d.Action != rules.ActionRefuse) {
			t.Errorf("%s: %v, %+v", host, ok, d)
		}
	}
}
