package desktop

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestPolicies_edit(t *testing.T) {
	t.Parallel()
	ours := Values{policyProxy: set(`{"Mode":"x"}`)}
	for before, want := range map[string]string{
		"":                             "{\n  \"policies\": {\n    \"Proxy\": {\"Mode\":\"x\"}\n  }\n}\n",
		" \n":                          "{\n  \"policies\": {\n    \"Proxy\": {\"Mode\":\"x\"}\n  }\n}\n",
		"{}":                           "{\n  \"policies\": {\n    \"Proxy\": {\"Mode\":\"x\"}\n  }}",
		`{"a":1}`:                      "{\n  \"policies\": {\n    \"Proxy\": {\"Mode\":\"x\"}\n  },\"a\":1}",
		`{"policies":{}}`:              "{\"policies\":{\n    \"Proxy\": {\"Mode\":\"x\"}\n  }}",
		`{"policies":{"A":[1,{}]}}`:    "{\"policies\":{\n    \"Proxy\": {\"Mode\":\"x\"},\"A\":[1,{}]}}",
		`{"policies":{"Proxy" : [1]}}`: `{"policies":{"Proxy" : {"Mode":"x"}}}`,
	} {
		got, err := policies{}.edit(t.Context(), []byte(before), ours)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q (%v), want %q", before, got, err, want)
		}
		if _, err := (policies{}).read(t.Context(), []byte(before)); err != nil {
			t.Errorf("%s: %v", before, err)
		}
	}
	for before, want := range map[string]string{
		`{"policies":{"Proxy":1}}`:                      `{"policies":{}}`,
		`{"policies":{"Proxy":1,"A":2}}`:                `{"policies":{"A":2}}`,
		`{"policies":{"A":2 , "Proxy":1 }}`:             `{"policies":{"A":2  }}`,
		`{"policies":{"A":",","Proxy":{"B":1},"C":[]}}`: `{"policies":{"A":",","C":[]}}`,
	} {
		got, err := policies{}.edit(t.Context(), []byte(before), Values{policyProxy: {}})
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q (%v), want %q", before, got, err, want)
		}
	}
	for _, bad := range []string{"[]", `{"policies":1}`, `{"policies":{}`, `{"policies":{}} x`, `{"policies":{"Proxy":1,"Proxy":2}}`, `{"policies":{},"policies":{}}`, "{a:1}", "\ufeff{}"} {
		if got, err := (policies{}).edit(t.Context(), []byte(bad), ours); err == nil {
			t.Errorf("%s: changed to %s", bad, got)
		}
	}
}

// What says nothing is removed where it was made for us; what is beside the policies is somebody's.
func TestPolicies_vacant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, " \n": true, "{}": true, `{"policies":{}}`: true, `{"policies":{"A":1}}`: false, `{"policies":{},"x":1}`: false, `{"policies":null}`: false, "{": false,
	} {
		if got := (policies{}).vacant([]byte(text)); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}

// Whatever a file holds: what is put in can be read again, the rest means what it meant, and taking it out gives back the same document.
func FuzzPolicies(f *testing.F) {
	for _, seed := range []string{"", "{}", oldPolicies, `{"policies":{"A":2 , "Proxy":1 }}`, `{"a":{"policies":{"Proxy":1}},"policies":{"B":"\"Proxy\":"}}`, "{\"policies\" : { } , \"x\":null}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, before []byte) {
		var c policies
		if _, err := c.read(t.Context(), before); err != nil {
			return
		}
		want := wantedPolicy(guard)
		with, err := c.edit(t.Context(), before, want)
		must(t, err)
		got, err := c.read(t.Context(), with)
		must(t, err)
		if got[policyProxy] != want[policyProxy] {
			t.Fatalf("got %v in %q", got, with)
		}
		without, err := c.edit(t.Context(), with, Values{policyProxy: {}})
		must(t, err)
		if a, b := others(t, before), others(t, without); !bytes.Equal(a, b) {
			t.Fatalf("other policies: %s, then %s", a, b)
		}
	})
}

// others is the document without ours, in one form.
func others(t *testing.T, data []byte) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	inner := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(data)) > 0 {
		must(t, json.Unmarshal(data, &all))
		if all["policies"] != nil {
			must(t, json.Unmarshal(all["policies"], &inner))
		}
	}
	delete(inner, "Proxy")
	delete(all, "policies")
	out, err := json.Marshal([]any{len(all), all, inner})
	must(t, err)
	return bytes.ReplaceAll(out, []byte("[0,null,"), []byte("[0,{},"))
}

func TestPrefs_edit(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"":                                       "user_pref(\"network.proxy.type\", 2);\n",
		"a":                                      "a\nuser_pref(\"network.proxy.type\", 2);\n",
		"  user_pref('network.proxy.type',0) ;x": "  user_pref('network.proxy.type',2) ;x",
		"// user_pref(\"network.proxy.type\", 0);\n":                                        "// user_pref(\"network.proxy.type\", 0);\nuser_pref(\"network.proxy.type\", 2);\n",
		"user_pref(\"network.proxy.type\", 0);\r\nuser_pref(\"network.proxy.type\", 1);":    "user_pref(\"network.proxy.type\", 0);\r\nuser_pref(\"network.proxy.type\", 2);",
		"/*\nuser_pref(\"network.proxy.type\", 0);\n*/\n":                                   "/*\nuser_pref(\"network.proxy.type\", 0);\n*/\nuser_pref(\"network.proxy.type\", 2);\n",
		"user_pref(\"a\", \"it's */*, \\\" // #\");\nuser_pref('network.proxy.type', 0);\n": "user_pref(\"a\", \"it's */*, \\\" // #\");\nuser_pref('network.proxy.type', 2);\n",
		"# it's\n// \"\n/* ' \"\nuser_pref(\"network.proxy.type\", 0);":                     "# it's\n// \"\n/* ' \"\nuser_pref(\"network.proxy.type\", 0);\nuser_pref(\"network.proxy.type\", 2);\n",
		"user_pref(\"network.proxy.type2\", 0);\n":                                          "user_pref(\"network.proxy.type2\", 0);\nuser_pref(\"network.proxy.type\", 2);\n",
	} {
		got, err := prefs{}.edit(t.Context(), []byte(before), Values{prefType: set("2")})
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q (%v), want %q", before, got, err, want)
		}
	}
	got, err := prefs{}.edit(t.Context(), []byte("a\nuser_pref(\"network.proxy.type\", 2);\nb\n"), Values{prefType: {}})
	if err != nil || string(got) != "a\nb\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Of several lines for one name the last one counts, as it does for the program.
func TestPrefs_read(t *testing.T) {
	t.Parallel()
	got, err := prefs{}.read(t.Context(), []byte("user_pref(\"network.proxy.type\", 1);\nuser_pref('network.proxy.type', 4);\n// user_pref('network.proxy.type', 0);\n"))
	if err != nil || got[prefType] != set("4") || got[prefPAC].Set {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestValue_String(t *testing.T) {
	t.Parallel()
	for v, want := range map[Value]string{
		{}: "not set",
		set("'http://user:geheim@proxy.example:8080/'"):            "'http://…@proxy.example:8080/'",
		set("http://proxy.example/?x=a@b"):                         "http://proxy.example/?x=a@b",
		set("REG_SZ http://user:ge@he@im@proxy.example/proxy.pac"): "REG_SZ http://…@proxy.example/proxy.pac",
		set(`"http://user:ge'heim@proxy.example/proxy.pac"`):       `"http://…@proxy.example/proxy.pac"`, // so GVariant writes one with an apostrophe
	} {
		if got := v.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
