package truststore_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"autodiscover-guard/certs/truststore"
)

func TestAddCertificate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want, dropped string }{
		"no policies":                     {`{}`, `{"policies": {"Certificates": {"Install": ["/c.pem"]}}}`, `{"policies": {}}`},
		"no certificates, on one line":    {`{"policies": {"a": 1}}`, `{"policies": {"a": 1, "Certificates": {"Install": ["/c.pem"]}}}`, ""},
		"no certificates, indented":       {"{\n\t\"policies\": {\n\t\t\"a\": 1\n\t}\n}\n", "{\n\t\"policies\": {\n\t\t\"a\": 1,\n\t\t\"Certificates\": {\"Install\": [\"/c.pem\"]}\n\t}\n}\n", ""},
		"an empty object over lines":      {"{\n  \"policies\": {\n  }\n}", "{\n  \"policies\": {\n    \"Certificates\": {\"Install\": [\"/c.pem\"]}\n  }\n}", "{\n  \"policies\": {}\n}"},
		"an empty list":                   {`{"policies":{"Certificates":{"Install":[]}}}`, `{"policies":{"Certificates":{"Install":["/c.pem"]}}}`, `{"policies":{}}`},
		"a list":                          {`{"policies":{"Certificates":{"Install":["/a","/b"]},"z":[]}}`, `{"policies":{"Certificates":{"Install":["/a","/b", "/c.pem"]},"z":[]}}`, ""},
		"a list over lines":               {"{\"policies\":{\"Certificates\":{\"Install\":[\n \"/a\"\n]}}}", "{\"policies\":{\"Certificates\":{\"Install\":[\n \"/a\",\n \"/c.pem\"\n]}}}", ""},
		"a name with escapes":             {`{"policies":{"\"\\":1,"Cert\u0069ficates":{"Install":["/a"]}}}`, `{"policies":{"\"\\":1,"Cert\u0069ficates":{"Install":["/a", "/c.pem"]}}}`, ""},
		"the same names elsewhere before": {`{"Install":["/x"],"x":{"policies":{}},"policies":{}}`, `{"Install":["/x"],"x":{"policies":{}},"policies":{"Certificates": {"Install": ["/c.pem"]}}}`, ""},
	} {
		if in, err := truststore.ListsCertificate([]byte(c.text), "/c.pem"); in || err != nil {
			t.Errorf("%s: it is found in %s: %v", name, c.text, err)
		}
		got, err := truststore.AddCertificate([]byte(c.text), "/c.pem")
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got\n%s, %v, want\n%s", name, got, err, c.want)
			continue
		}
		if in, err := truststore.ListsCertificate(got, "/c.pem"); !in || err != nil {
			t.Errorf("%s: it is not found in %s: %v", name, got, err)
		}
		if c.dropped == "" {
			c.dropped = c.text
		}
		for range 2 { // the second time it is not there
			if got, err = truststore.DropCertificate(got, "/c.pem"); err != nil || string(got) != c.dropped {
				t.Errorf("%s: taken out again, got\n%s, %v, want\n%s", name, got, err, c.dropped)
			}
		}
	}
}

// Somebody has put another one behind ours.
func TestDropCertificate_first(t *testing.T) {
	t.Parallel()
	const text, want = `{"policies":{"Certificates":{"Install":["/c.pem", "/d"]}}}`, `{"policies":{"Certificates":{"Install":["/d"]}}}`
	if got, err := truststore.DropCertificate([]byte(text), "/c.pem"); err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestAddCertificate_refuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                  "",
		"no JSON":                  "policies",
		"a trailing comma":         `{"policies": {},}`,
		"a comment":                "{// ours\n\"policies\": {}}",
		"a name twice":             `{"policies": {}, "policies": {}}`,
		"two values":               `{"policies": {}} {}`,
		"a list":                   `[]`,
		"policies that are a list": `{"policies": []}`,
		"certificates in words":    `{"policies": {"Certificates": "yes"}}`,
		"one instead of a list":    `{"policies": {"Certificates": {"Install": "/a"}}}`,
	} {
		if got, err := truststore.AddCertificate([]byte(text), "/c.pem"); err == nil {
			t.Errorf("%s: became %s", name, got)
		}
		if in, err := truststore.ListsCertificate([]byte(text), "/c.pem"); err == nil {
			t.Errorf("%s: is read, %v", name, in)
		}
	}
}

// FuzzPolicies: whatever can be edited means the same as before but for one element, and taking that out gives the meaning of before.
func FuzzPolicies(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"policies": {}}`, `{"policies":{"Certificates":{"Install":["/a"]},"z":1}}`, "{\n \"policies\": {\n  \"Certificates\": {\n  }\n }\n}",
		`{"policies":{"a\"":"}","Certificates":{"ImportEnterpriseRoots":true,"Install":[]}}}`, `{"policies":{"Certificates":{"Install":["/c.pem"]}}}`,
	} {
		f.Add([]byte(text))
	}
	const file = "/etc/thunderbird/policies/c\"\\.pem"
	f.Fuzz(func(t *testing.T, text []byte) {
		was, err := truststore.ListsCertificate(text, file)
		if err != nil || was {
			return
		}
		added, err := truststore.AddCertificate(text, file)
		if err != nil {
			t.Fatalf("it can be read, but not edited: %v", err)
		}
		if in, err := truststore.ListsCertificate(added, file); err != nil || !in {
			t.Fatalf("not in %q: %v", added, err)
		}
		if missing := bytes.TrimSpace(text); len(added) <= len(missing) {
			t.Fatalf("%q became shorter: %q", text, added)
		}
		dropped, err := truststore.DropCertificate(added, file)
		if err != nil {
			t.Fatal(err)
		}
		if before, after := meaning(t, text), meaning(t, dropped); !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q and then %q", text, added, dropped)
		}
	})
}

// meaning is what a program understands, without the empty containers that taking out may leave or take.
func meaning(t *testing.T, text []byte) any {
	t.Helper()
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Skip("encoding/json cannot read it: ", err)
	}
	policies, _ := v["policies"].(map[string]any)
	if certificates, ok := policies["Certificates"].(map[string]any); ok {
		if list, ok := certificates["Install"].([]any); ok && len(list) == 0 {
			delete(certificates, "Install")
		}
		if len(certificates) == 0 {
			delete(policies, "Certificates")
		}
	}
	if len(policies) == 0 {
		delete(v, "policies")
	}
	return v
}
