package review_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// recipe writes a recipe to a file of a new directory.
func recipe(t *testing.T, name, file string) string {
	t.Helper()
	for _, r := range review.Recipes() {
		if r.Name == name {
			path := filepath.Join(t.TempDir(), file)
			if err := os.WriteFile(path, []byte(r.Text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Fatalf("there is no recipe %q", name)
	return ""
}

// logFile writes the golden records under the name that a log has.
func logFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	if err := os.WriteFile(name, []byte(strings.Join(golden(t), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// foreign runs a program in a home of its own; a test whose program is missing is skipped.
func foreign(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "TERM=dumb")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// jq, read by its functions, comes to the same numbers.
func TestRecipe_jq(t *testing.T) {
	dir := filepath.Dir(recipe(t, "jq", "guard.jq"))
	log := logFile(t)
	torn := filepath.Join(t.TempDir(), "torn.jsonl")
	if err := os.WriteFile(torn, []byte(`{"level":"warn","time":"2025-12-0`+"\n7\n"+strings.Join(golden(t), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]string{
		`[inputs | decisions] | strangers`:                              "example.com\timapgms.jnet.sei.co.jp\t1\t127.0.0.1\nlab.test\timapgms.jnet.sei.co.jp\t1\t127.0.0.1\n",
		`[inputs | decisions] | count(.action)[] | "\(.key) \(.times)"`: "refuse 3\npass 2\nedit 1\n",
		`[inputs | decisions | kept] | length`:                          "4\n",
		`[inputs | decisions | monitored] | length`:                     "0\n",
		`[inputs | decisions | forwarded] | length`:                     "0\n",
		`[inputs | decisions | unread] | length`:                        "1\n",
		`[inputs | decisions | changes] | length`:                       "4\n",
		`[inputs | decisions] | hours[] | .key`:                         "2025-12-08T21\n",
	} {
		for log, raw := range map[string]string{log: "-n", torn: "-nR"} {
			if got := foreign(t, "jq", raw, "-r", "-L", dir, `include "guard"; `+filter, log); got != want {
				t.Errorf("%s %s: got %q, want %q", raw, filter, got, want)
			}
		}
	}
}

// lnav takes the format file for the log, and its columns for a table.
func TestRecipe_lnav(t *testing.T) {
	formats := filepath.Join(t.TempDir(), "formats", "guard")
	if err := os.MkdirAll(formats, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(recipe(t, "lnav", "guard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(formats, "guard.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	lines := foreign(t, "lnav", "-n", "-I", filepath.Dir(filepath.Dir(formats)),
		"-c", ";SELECT action, rule, client, status, bytes_in, log_level, jget(credentials, '/forwarded') AS forwarded FROM autodiscover_guard_decision",
		"-c", ":write-csv-to -", logFile(t))
	rows, err := csv.NewReader(strings.NewReader(lines)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rows); !strings.HasPrefix(got, "[[action rule client status bytes_in log_level forwarded] [pass  127.0.0.1 200 194 debug 1]") || len(rows) != 7 {
		t.Errorf("got %s", got)
	}
}

func TestRecipe_goaccess(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.json")
	foreign(t, "goaccess", "--no-global-config", "--config-file="+recipe(t, "goaccess", "goaccess.conf"), "-o", out, logFile(t))
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		General struct {
			Valid  int `json:"valid_requests"`
			Failed int `json:"failed_requests"`
		} `json:"general"`
		Hosts struct {
			Data []struct {
				Hits struct{ Count int } `json:"hits"`
				Data string              `json:"data"`
			} `json:"data"`
		} `json:"vhosts"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.General.Valid != 6 || got.General.Failed != 0 || len(got.Hosts.Data) != 2 || got.Hosts.Data[0].Hits.Count != 5 {
		t.Errorf("got %+v", got)
	}
}

// A validator that others wrote, in another language, accepts the schema and the records, and refuses what is none.
func TestRecipe_schemaByAjv(t *testing.T) {
	parsers := os.Getenv("AUTODISCOVER_GUARD_PARSERS")
	if parsers == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip(err)
		}
		parsers = filepath.Join(cache, "autodiscover-guard-tests")
	}
	if _, err := os.Stat(filepath.Join(parsers, "node_modules", "ajv", "package.json")); err != nil {
		t.Skip("ajv is not installed: .ci/run packages does that")
	}
	script := `
const Ajv = require("ajv/dist/2020"), formats = require("ajv-formats"), fs = require("fs");
const ajv = new Ajv({strict: true, allErrors: true}); formats(ajv);
const validate = ajv.compile(JSON.parse(fs.readFileSync(process.argv[1])));
for (const line of fs.readFileSync(process.argv[2], "utf8").trim().split("\n")) {
  const record = JSON.parse(line); record.exchange = "0123abcd-1";
  console.log(validate(record)); if (validate.errors) console.error(validate.errors);
}
const bad = JSON.parse(fs.readFileSync(process.argv[2], "utf8").split("\n")[0]); bad.action = "invalid";
console.log(validate(bad));`
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	cmd := exec.Command("node", "-e", script, recipe(t, "schema", "schema.json"), logFile(t))
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(parsers, "node_modules"))
	out, err := cmd.CombinedOutput()
	if want := strings.Repeat("true\n", 6) + "false\n"; err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}
