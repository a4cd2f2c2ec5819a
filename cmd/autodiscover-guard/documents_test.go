package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
)

// document is the text of a file of the repository that people read and paste from.
func document(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced are a document's blocks of code in one language.
func fenced(text, language string) []string {
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)\n```([a-z]*)\n(.*?)\n```").FindAllStringSubmatch(text, -1) {
		if found[1] == language {
			blocks = append(blocks, found[2])
		}
	}
	return blocks
}

// TestDocuments_commands takes each command line of ours that the README prints: the command is there, with these flags and so many arguments.
func TestDocuments_commands(t *testing.T) {
	t.Parallel()
	readme := document(t, "README.md")
	var lines []string
	for _, block := range fenced(readme, "sh") {
		// Users, groups and files have the program's name, too.
		block = strings.NewReplacer("sudo -u autodiscover-guard ", "", "-o autodiscover-guard ", "", "-g autodiscover-guard ", "", "go run ./cmd/autodiscover-guard", program).Replace(block)
		for _, found := range regexp.MustCompile(`(?m)(?:^|[\s'])autodiscover-guard ([a-z][^|>#&'\n]*)`).FindAllStringSubmatch(block, -1) {
			lines = append(lines, found[1])
		}
	}
	known := regexp.MustCompile("^(?:autodiscover-guard )?((?:run|demo|check|review|doctor|status|ca|setup|policy|reserved|config) [a-z-][^`]*)$")
	for _, span := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(readme, -1) {
		if found := known.FindStringSubmatch(span[1]); found != nil {
			lines = append(lines, strings.NewReplacer("[", "", "]", "").Replace(found[1]))
		}
	}
	if len(lines) < 40 {
		t.Fatalf("the README has only %q", lines)
	}
	for _, line := range lines {
		if err := parsed(strings.Fields(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// parsed says what is wrong with a command line, without running it.
func parsed(args []string) error {
	var out bytes.Buffer
	root := rootCommand(strings.NewReader(""), &out, &out)
	var each func(*cobra.Command)
	each = func(c *cobra.Command) {
		if c.Runnable() && !c.HasSubCommands() {
			c.RunE, c.Run = func(*cobra.Command, []string) error { return nil }, nil
		}
		for _, below := range c.Commands() {
			each(below)
		}
	}
	each(root)
	root.SetArgs(args)
	return root.Execute()
}

// TestDocuments_demo compares what the README shows of the demo with what comes.
func TestDocuments_demo(t *testing.T) {
	t.Parallel()
	var out, talk bytes.Buffer
	if code := run([]string{"demo"}, strings.NewReader(""), &out, &talk); code != exitFine {
		t.Fatalf("exit code %d: %s", code, talk.String())
	}
	came := regexp.MustCompile("(?m) +$").ReplaceAllString(out.String(), "")
	for _, block := range fenced(document(t, "README.md"), "") {
		if strings.Contains(block, "WITHOUT THE GUARD") {
			if !strings.Contains(came, block) {
				t.Errorf("the README shows\n%s\nand what comes is\n%s", block, came)
			}
			return
		}
	}
	t.Error("the README does not show the demo")
}

// TestDocuments_expectations runs the file that the help of "policy test" shows, with the README's pin when it has become right.
func TestDocuments_expectations(t *testing.T) {
	t.Parallel()
	var help, out, talk bytes.Buffer
	run([]string{"policy", "test", "--help"}, strings.NewReader(""), &help, &talk)
	_, file, begins := strings.Cut(help.String(), "A file is YAML:\n")
	file, _, ends := strings.Cut(file, "\nWhat is wanted must hold")
	if !begins || !ends {
		t.Fatalf("the help shows no file where this test looks for it:\n%s", help.String())
	}
	pin := ""
	for _, block := range fenced(document(t, "README.md"), "yaml") {
		if strings.Contains(block, "name: pin") {
			pin = regexp.MustCompile(`(?m)^ *mode: monitor.*\n`).ReplaceAllString(block, "")
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"expectations.yaml": file,
		"guard.yaml":        pin,
		"incident.txt": "GET /autodetect/detect HTTP/1.1\nHost: prod.autodetect.outlook.cloud.microsoft\nAuthorization: Basic dXNlckBleGFtcGxlLmNvbTp4\n\n" +
			"HTTP/1.1 200 OK\nContent-Type: application/json\n\n" + `{"protocols":[{"protocol":"imap","hostname":"imapgms.jnet.sei.co.jp"}]}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code := run([]string{"policy", "test", filepath.Join(dir, "expectations.yaml")}, strings.NewReader(""), &out, &talk); code != exitFine {
		t.Errorf("exit code %d: %s%s", code, out.String(), talk.String())
	}
}

// TestDocuments_configuration loads each piece of configuration that the README prints, and looks for each key that it or another document names.
func TestDocuments_configuration(t *testing.T) {
	t.Parallel()
	readme := document(t, "README.md")
	blocks := fenced(readme, "yaml")
	if len(blocks) < 4 {
		t.Fatalf("the README has only %q", blocks)
	}
	for _, block := range blocks {
		if _, err := config.Parse("README.md", []byte(block)); err != nil {
			t.Errorf("%v in:\n%s", err, block)
		}
	}
	keys := map[string]bool{}
	section := ""
	for line := range strings.Lines(config.Reference()) {
		if found := regexp.MustCompile(`^( *)([a-z_]+):`).FindStringSubmatch(line); found != nil && found[1] == "" {
			section = found[2]
		} else if found != nil {
			keys[section+"."+found[2]] = true
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "..", ".github", "*.md"))
	decisions, err2 := filepath.Glob(filepath.Join("..", "..", ".github", "decisions", "*.md"))
	if err := errors.Join(err, err2); err != nil || len(files) < 3 || len(decisions) < 30 {
		t.Fatalf("%v, only %q, %q", err, files, decisions)
	}
	others := map[string]bool{"upstream.error": true, "upstream.check": true, "policy.uid": true} // the record's, and OCSF's
	named := regexp.MustCompile("`((?:listen|clients|policy|upstream|limits|log|notify)\\.[a-z_]+)[`:]")
	for _, file := range append(append(files, decisions...), filepath.Join("..", "..", "README.md")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range named.FindAllStringSubmatch(string(text), -1) {
			if !keys[found[1]] && !others[found[1]] {
				t.Errorf("%s: there is no key %s", filepath.Base(file), found[1])
			}
		}
	}
}

// TestDocuments_links follows each link of a document to a heading or a file of the repository.
func TestDocuments_links(t *testing.T) {
	t.Parallel()
	link, punctuation := regexp.MustCompile(`\]\(([^)\s]+)\)`), regexp.MustCompile("[^a-z0-9 _-]")
	for _, name := range []string{"README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".github/CHANGELOG.md"} {
		text := document(t, name)
		headings := map[string]bool{}
		for _, found := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
			headings[strings.ReplaceAll(punctuation.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")] = true // as GitHub names them
		}
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if heading, ours := strings.CutPrefix(found[1], "#"); ours {
				if !headings[heading] {
					t.Errorf("%s: there is no heading %s", name, found[1])
				}
			} else if !strings.Contains(found[1], "://") {
				if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(name), found[1])); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// TestDocuments_numbers looks for sentences with the numbers that hold.
func TestDocuments_numbers(t *testing.T) {
	t.Parallel()
	readme := strings.Join(strings.Fields(document(t, "README.md")+document(t, ".github", "CHANGELOG.md")), " ")
	c := config.Default()
	rotate := c.Log.Rotate
	for _, sentence := range []string{
		fmt.Sprintf("It listens on %s,", c.Listen.Proxy),
		fmt.Sprintf("http://%s/ shows decisions as they come", c.Listen.Admin),
		fmt.Sprintf("when it has %d MiB or its first record is %.0f days old, and keeps %s such files at most, each for %.0f days", rotate.Size>>20, rotate.Every.Hours()/24, map[int64]string{10: "ten"}[rotate.Keep], rotate.Age.Hours()/24),
		fmt.Sprintf("no record is kept for more than %.0f days", (rotate.Every+rotate.Age).Hours()/24),
		fmt.Sprintf("`log.rotate: {size: %dMiB, every: %.0fd, keep: %d, age: %.0fd}`", rotate.Size>>20, rotate.Every.Hours()/24, rotate.Keep, rotate.Age.Hours()/24),
		fmt.Sprintf("Beyond `log.repeat: %d/s` identical decisions", c.Log.Repeat.Count),
		fmt.Sprintf("`limits.stall_timeout` (%.0f min by default;", c.Limits.Stall.Minutes()),
		fmt.Sprintf("twice `limits.lifetime` at most (%.0f h by default)", 2*c.Limits.Lifetime.Hours()),
		fmt.Sprintf("`strangers.json` of the state directory (%d, those not seen for longest go first)", notify.MostStrangers),
		fmt.Sprintf("%d may wait, %d an hour (%d of either for reloads and the authority), %d attempts each", notify.QueueLength, notify.MostAnHour, notify.Reserved, notify.Attempts),
		fmt.Sprintf("not told again for %s (`notify.quiet`)", map[time.Duration]string{24 * time.Hour: "a day"}[c.Notify.Quiet]),
		fmt.Sprintf("takes %d connections at most: one more takes the place of an idle one", maxAdminConnections),
	} {
		if !strings.Contains(readme, sentence) {
			t.Errorf("README and CHANGELOG do not say %q", sentence)
		}
	}
}
