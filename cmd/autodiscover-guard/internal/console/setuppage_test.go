package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// The page is whole HTML, runs nothing, asks for nothing elsewhere, and its policy permits exactly its own style sheet.
func TestSetupPage(t *testing.T) {
	status, pac := console.Status{}, ""
	h, _, a := fixture(t, &status, &pac)
	w := ask(t, h, "GET", "localhost:8081", "/setup")
	page := w.Body.String()
	if len(page) > 16<<10 {
		t.Errorf("%d bytes", len(page))
	}
	style := regexp.MustCompile("(?s)<style>(.*?)</style>").FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style sheet")
	}
	sum := sha256.Sum256([]byte(style[1]))
	policy := w.Header().Get("Content-Security-Policy")
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) || !strings.HasPrefix(policy, "default-src 'none'; ") {
		t.Errorf("policy %q, want it to have %s", policy, want)
	}
	links, ids := checkMarkup(t, page)
	for _, link := range links {
		if id, ok := strings.CutPrefix(link, "#"); ok && !slices.Contains(ids, id) || !ok && ask(t, h, "GET", "localhost:8081", link).Code != 200 {
			t.Errorf("the link %s leads nowhere", link)
		}
	}
	for _, platform := range strings.Split(page, "<h2")[1:] {
		if name, _, _ := strings.Cut(platform, "</h2>"); !strings.Contains(platform, "Undo") {
			t.Errorf("nobody is told how to take back what is done at%s", name)
		}
	}
	for _, want := range []string{
		a.Fingerprint(), a.Root().Subject.CommonName, "http://localhost:8081/proxy.pac", "http://localhost:8081/ca.cer", "certutil -user -addstore Root", "security add-trusted-cert",
		"update-ca-certificates", "update-ca-trust", "keytool -importcert", "--proxy-pac-url=", "Certificate Trust Settings", "sql:PROFILE", "[ -d $store ] || store=$HOME/.local/share/pki/nssdb", "http://127.0.0.1:8080",
		"color-scheme: light dark", "fail-closed",
	} {
		if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// checkMarkup walks the page: every element is closed, none runs or fetches anything. It gives the links and the places that they can lead to.
func checkMarkup(t *testing.T, page string) (links, ids []string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	var open []string
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("left open: %v", open)
			}
			return links, ids
		case html.StartTagToken:
			token := z.Token()
			if slices.Contains([]string{"script", "img", "iframe", "link", "form", "object", "base"}, token.Data) {
				t.Errorf("<%s> on the page", token.Data)
			}
			for _, attr := range token.Attr {
				switch {
				case strings.HasPrefix(attr.Key, "on"), attr.Key == "style", attr.Key == "src":
					t.Errorf("the attribute %s on the page", attr.Key)
				case attr.Key == "href":
					links = append(links, attr.Val)
				case attr.Key == "id":
					ids = append(ids, attr.Val)
				}
			}
			if token.Data != "meta" {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if name := z.Token().Data; len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("</%s> closes nothing: %v", name, open)
			}
			open = open[:len(open)-1]
		case html.TextToken, html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}
