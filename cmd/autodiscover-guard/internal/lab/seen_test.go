package lab_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

func TestSeen_Carries(t *testing.T) {
	t.Parallel()
	const secret = "correct horse+&/ß"
	std, web := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	field := func(value string) lab.Seen { return lab.Seen{Header: http.Header{"X-Field": {"first", value}}} }
	for name, c := range map[string]struct {
		seen  lab.Seen
		where string
	}{
		"nothing":                    {lab.Seen{Method: "GET", Path: "/", Header: http.Header{"Accept": {"*/*"}}, Body: []byte("correct horse")}, ""},
		"raw in the body":            {lab.Seen{Body: []byte("<p>" + secret + "</p>")}, "body"},
		"raw in the path":            {lab.Seen{Path: "/" + secret}, "path"},
		"escaped in the query":       {lab.Seen{Query: "p=" + url.QueryEscape(secret)}, "query"},
		"escaped in the target":      {lab.Seen{Target: "/100%/" + url.PathEscape(secret)}, "target"},
		"escaped twice":              {lab.Seen{Query: "p=" + url.QueryEscape(url.QueryEscape(secret))}, "query"},
		"raw in a field":             {field("x " + secret), "header:X-Field"},
		"the name of a field":        {lab.Seen{Header: http.Header{secret: {"x"}}}, "header"},
		"in a trailer":               {lab.Seen{Trailer: http.Header{"X": {secret}}}, "trailer:X"},
		"base64":                     {field("Basic " + std([]byte(secret))), "header:X-Field"},
		"base64 behind a user":       {field("Basic " + std([]byte("u@example.com:"+secret))), "header:X-Field"},
		"base64 without padding":     {field(web([]byte("a:" + secret))), "header:X-Field"},
		"base64 behind a slash":      {lab.Seen{Path: "/token/" + web([]byte("a:"+secret))}, "path"},
		"base64 in base64":           {field(std([]byte("x=" + std([]byte(secret))))), "header:X-Field"},
		"base64 of an escape":        {field(std([]byte(url.QueryEscape(secret)))), "header:X-Field"},
		"escape of base64":           {lab.Seen{Query: "t=" + url.QueryEscape(std([]byte(secret)))}, "query"},
		"character references":       {lab.Seen{Body: []byte("<p>correct horse+&amp;/&#223;</p>")}, "body"},
		"base64 in a JSON document":  {lab.Seen{Body: []byte(`{"t":"` + std([]byte(secret)) + `"}`)}, "body"},
		"the secret of a JWT's body": {field("Bearer e30." + web([]byte(`{"p":"`+secret+`"}`)) + ".sig"), "header:X-Field"},
	} {
		where, found := c.seen.Carries(secret)
		if where != c.where || found != (c.where != "") {
			t.Errorf("%s: got %q %v, want %q", name, where, found, c.where)
		}
	}
	if where, found := (lab.Seen{Body: []byte("x")}).Carries(""); found {
		t.Errorf("an empty secret was found in %s", where)
	}
}

func TestSeen_Carries_finds_the_password_of_the_incident(t *testing.T) {
	t.Parallel()
	s, client := startHTTPS(t, lab.AutoDetect(), true, lab.AutoDetectHost)
	r, err := lab.AskAutoDetect(t.Context(), lab.IncidentAddress, lab.IncidentSecret)
	if err != nil {
		t.Fatal(err)
	}
	send(t, client, r)
	r = newRequest(t, http.MethodGet, lab.AutoDetectURL, nil)
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(lab.IncidentAddress)))
	send(t, client, r)
	seen := s.Seen()
	if where, found := seen[0].Carries(lab.IncidentSecret); !found || where != "header:Authorization" {
		t.Errorf("got %q %v, want the credentials", where, found)
	}
	if where, found := seen[1].Carries(lab.IncidentSecret); found {
		t.Errorf("a password was found in %s, where none is", where)
	}
}
