package lab_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"

	"github.com/google/go-cmp/cmp"
)

// The digests are those of the capture's bytes: whatever builds the answer, it may not change one of them.
func TestIncident_is_the_capture(t *testing.T) {
	a := lab.Incident()
	if a.Status != http.StatusOK {
		t.Errorf("got status %d, want 200", a.Status)
	}
	for name, c := range map[string]struct{ got, want string }{
		"body":             {string(a.Body), "2653cdc80bdf1544784e3e3312edad645b7e5fe0a4af1a18711567acc4d5bb94"},
		"x-debug-support":  {a.Header.Get("X-Debug-Support"), "0f923a55b30a9840d398b7c7c5a4d709a791e84b895024188448d76ce3730adc"},
		"x-feedback-token": {a.Header.Get("X-Feedback-Token"), "54be6f921db2a12c58fa6e73af77cecb0ce3bca1e707285d10de224029b8e742"},
	} {
		sum := sha256.Sum256([]byte(c.got))
		if got := hex.EncodeToString(sum[:]); got != c.want {
			t.Errorf("%s: got SHA-256 %s, want %s, of:\n%s", name, got, c.want, c.got)
		}
	}
	got := a.Header.Clone()
	got.Del("X-Debug-Support")
	got.Del("X-Feedback-Token")
	want := http.Header{
		"Content-Type":              {"application/json; charset=utf-8"},
		"Server":                    {"Kestrel"},
		"Strict-Transport-Security": {"max-age=2592000"},
		"X-Autodetect-Cv":           {"f1b6525f-6d11-4add-a0e4-0b677d89f9eb"},
		"X-Autodv2-Error":           {"ENOTFOUND"},
		"X-Content-Type-Options":    {"nosniff"},
		"X-Dns-Prefetch-Control":    {"off"},
		"X-Download-Options":        {"noopen"},
		"X-Frame-Options":           {"SAMEORIGIN"},
		"X-Instance-Id":             {"autodetect-deployment-76fffc487d-wfs4b"},
		"X-Olm-Source-Endpoint":     {"/detect"},
		"X-Provider-Id":             {"seeatest"},
		"X-Request-Id":              {"f1b6525f-6d11-4add-a0e4-0b677d89f9eb"},
		"X-Response-Time":           {"3472 ms"},
		"X-Xss-Protection":          {"1; mode=block"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("header fields (-want +got):\n%s", d)
	}
}

func TestIncident_names_the_servers_in_three_places(t *testing.T) {
	a := lab.Incident()
	debug, err := base64.StdEncoding.DecodeString(a.Header.Get("X-Debug-Support"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(a.Header.Get("X-Feedback-Token"), ".")
	if len(parts) != 3 {
		t.Fatalf("token has %d parts, want 3", len(parts))
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"body": a.Body, "x-debug-support": debug, "x-feedback-token": claims} {
		if !json.Valid(text) {
			t.Errorf("%s is not JSON: %s", name, text)
		}
		for _, host := range []string{lab.IncidentIMAP, lab.IncidentSMTP} {
			if got := strings.Count(string(text), host); got != 1 {
				t.Errorf("%s names %s %d times, want once", name, host, got)
			}
		}
	}
}

func TestIncident_belongs_to_the_caller(t *testing.T) {
	a := lab.Incident()
	a.Header.Set("X-Provider-Id", "changed")
	a.Body[0] = 'x'
	if b := lab.Incident(); b.Header.Get("X-Provider-Id") != "seeatest" || b.Body[0] != '{' {
		t.Error("a change to one answer is in the next")
	}
}

func TestAnswer_serves_itself(t *testing.T) {
	w := httptest.NewRecorder()
	a := lab.Incident()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if w.Code != a.Status || w.Body.String() != string(a.Body) || w.Header().Get("X-Provider-Id") != "seeatest" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
}
