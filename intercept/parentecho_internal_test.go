package intercept

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// However a body comes, no spelling of the secret gets through, and every other byte does.
func TestMaskEcho_body(t *testing.T) {
	t.Parallel()
	p := &parent{credentials: NewCredentials("guard", "~~~???>>>\xfb\xef\xff")}
	token := strings.TrimPrefix(p.authorization(), "Basic ")
	if !strings.ContainsAny(token, "+") || !strings.Contains(token, "/") {
		t.Fatalf("%q shows nothing", token)
	}
	half := token[:len(token)/2]
	for name, said := range map[string]string{
		"text":              token,
		"URL":               strings.NewReplacer("+", "%2B", "/", "%2F").Replace(token),
		"URL, small":        strings.NewReplacer("+", "%2b", "/", "%2f").Replace(token),
		"HTML":              strings.NewReplacer("+", "&#43;", "/", "&#47;").Replace(token),
		"JSON":              strings.ReplaceAll(token, "/", `\/`),
		"twice":             token + token,
		"half of it before": half + token,
		"nothing":           "nothing",
		"the beginning":     half,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := "before " + said + " behind " + said
			want := body
			for _, s := range p.spellings() {
				want = strings.ReplaceAll(want, string(s), strings.Repeat("*", len(s)))
			}
			if told := said != half && said != "nothing"; told == (want == body) {
				t.Fatalf("%q becomes %q", body, want)
			}
			for reads, r := range map[string]io.Reader{
				"whole": strings.NewReader(body), "bytes": iotest.OneByteReader(strings.NewReader(body)),
				"halves": iotest.HalfReader(strings.NewReader(body)), "with its end": iotest.DataErrReader(strings.NewReader(body)),
			} {
				resp := &http.Response{StatusCode: 503, Body: io.NopCloser(r), Header: http.Header{}}
				p.maskEcho(resp)
				got, err := io.ReadAll(iotest.OneByteReader(resp.Body))
				if err != nil || string(got) != want {
					t.Errorf("%s: got %q, %v; want %q", reads, got, err, want)
				}
			}
		})
	}
}

// A name and a password so short that their base64 stands in any download are masked where they are said to be some, and nowhere else.
func TestMaskEcho_short(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ user, password, body, want string }{
		{"", "", "Og == Basic Og==", "Og == Basic Og=="},
		{"u", "", "dTo= in any file; Basic dTo=; Basic%20dTo%3D; Basic+dTo", "dTo= in any file; *********=; ***********%3D; *********"},
		{"a", "b", "YTpi Basic YTpi Basic YTp", "YTpi ********** Basic YTp"},
		{"a", "bc", "YTpiYw== Basic YTpiYw==", "YTpiYw== ************=="},
		{"a", "bcde", "YTpiY2Rl Basic YTpiY2Rl", "******** Basic ********"},
	} {
		p := &parent{credentials: NewCredentials(c.user, c.password)}
		resp := &http.Response{StatusCode: 200, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader(c.body))), Header: http.Header{"X": {c.body}}}
		p.maskEcho(resp)
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != c.want || resp.Header.Get("X") != c.want {
			t.Errorf("%s:%s: got %q, %q, %v; want %q", c.user, c.password, got, resp.Header.Get("X"), err, c.want)
		}
	}
}

// What breaks off does not end with half a secret, and keeps its error.
func TestMaskEcho_breaksOff(t *testing.T) {
	t.Parallel()
	p := &parent{credentials: NewCredentials("guard", "a long password")}
	token := strings.TrimPrefix(p.authorization(), "Basic ")
	cut := errors.New("cut")
	resp := &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("before "+token[:12]), iotest.ErrReader(cut))), Header: http.Header{}}
	p.maskEcho(resp)
	if got, err := io.ReadAll(resp.Body); !errors.Is(err, cut) || !bytes.Equal(got, []byte("before ")) {
		t.Errorf("got %q, %v", got, err)
	}
}

// Nobody else's answers are touched.
func TestMaskEcho_noCredentials(t *testing.T) {
	t.Parallel()
	body := io.NopCloser(strings.NewReader("x"))
	for _, c := range []struct {
		p      parent
		status int
	}{{parent{}, 503}, {parent{credentials: NewCredentials("a", "b")}, 101}} {
		resp := &http.Response{StatusCode: c.status, Body: body, Header: http.Header{}}
		if c.p.maskEcho(resp); resp.Body != body {
			t.Errorf("%d: the body is another one", c.status)
		}
	}
}
