package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

// podman builds and runs containers with storage of its own, below a directory of the test's.
type podman struct {
	t       *testing.T
	storage []string
	env     []string
	network string // of the test's containers
}

func newPodman(t *testing.T) podman {
	t.Helper()
	for _, name := range []string{"podman", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not installed")
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("containers without root need user namespaces and files of the user's")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "containers.conf")
	// The limits that podman would set by itself may be more than this machine allows.
	if err := os.WriteFile(conf, []byte("[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := podman{t: t, env: append(os.Environ(), "CONTAINERS_CONF="+conf), network: "guard-" + strconv.Itoa(os.Getpid())}
	p.storage = []string{"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"}
	if _, err := exec.LookPath("runc"); err == nil {
		p.storage = append(p.storage, "--runtime", "runc") // crun of Debian 12 knows no hybrid of cgroups' versions
	}
	t.Cleanup(func() {
		for _, args := range [][]string{{"rm", "--all", "--force", "--time", "1"}, {"volume", "prune", "--force"}, {"network", "rm", "--force", p.network}, {"rmi", "--all", "--force"}} {
			if out, err := p.try(context.Background(), args...); err != nil {
				t.Logf("podman %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
	})
	return p
}

func (p podman) try(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "podman", append(append([]string{}, p.storage...), args...)...)
	cmd.Env = p.env
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if err != nil {
		return out.String() + complaints.String(), err
	}
	return out.String(), nil
}

func (p podman) must(args ...string) string {
	p.t.Helper()
	out, err := p.try(p.t.Context(), args...)
	if err != nil {
		p.t.Fatalf("podman %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TestContainer builds the image that .github/container describes, but for its first stage, which wants a registry, and uses it as README says.
func TestContainer(t *testing.T) {
	t.Parallel()
	p := newPodman(t)
	p.must("build", "--format", "docker", "--isolation", "chroot", "--tag", program, imageContext(t))
	if out, err := p.try(t.Context(), "run", "--rm", "--network", "none", program, "version"); err != nil {
		t.Skipf("no container runs here: %v\n%s", err, out)
	}
	p.must("network", "create", p.network)
	free := listener(t)
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	start := func(more ...string) {
		t.Helper()
		p.must(slices.Concat([]string{
			"run", "--detach", "--name", "guard", "--network", p.network, "--publish", "127.0.0.1:" + port + ":8080", "--volume", "guard:/state",
			"--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
		}, more, []string{program})...)
		p.must("exec", "guard", program, "status", "--state", "/state", "--wait", "1m")
		p.must("healthcheck", "run", "guard")
	}
	start()
	root := filepath.Join(t.TempDir(), "root.pem")
	exported := p.must("exec", "guard", program, "ca", "export", "--state", "/state")
	if err := os.WriteFile(root, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(proxy string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", "--silent", "--show-error", "--max-time", "20", "--proxy", proxy, "--cacert", root, tryURL).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "<clientConfig") || strings.Contains(string(out), "hostname") {
			t.Fatalf("by way of %s: %v\n%s", proxy, err, out)
		}
	}
	ask("http://127.0.0.1:" + port)
	// The records are what docker logs shows, and the state outlives the container, a killed one as well.
	if log := p.must("logs", "guard"); !strings.Contains(log, `"msg":"decision"`) || !strings.Contains(log, `"action":"refuse"`) {
		t.Errorf("the log has no decision:\n%s", log)
	}
	p.must("kill", "--signal", "KILL", "guard")
	p.must("rm", "--force", "guard")
	conf := t.TempDir()
	configure := func(rules string) {
		t.Helper()
		file := filepath.Join(conf, "guard.yaml")
		text := document(t, ".github", "container", "guard.yaml") + "policy:\n  rules: [" + rules + "]\n"
		if err := os.WriteFile(file+".new", []byte(text), 0o644); err != nil { // the container's user reads it
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil { // as editors do
			t.Fatal(err)
		}
	}
	configure("")
	if err := os.Chmod(conf, 0o755); err != nil {
		t.Fatal(err)
	}
	start("--volume", conf+":/etc/autodiscover-guard:ro")
	policy := func() string { return p.must("exec", "guard", program, "status", "--state", "/state", "--json") }
	before := policy()
	configure("{name: lab, domains: [lab.example.com], allow: [mail.lab.example.com]}")
	for deadline := time.Now().Add(time.Minute); policy() == before; {
		if time.Now().After(deadline) {
			t.Fatal("a changed policy is not taken")
		}
	}
	if again := p.must("exec", "guard", program, "ca", "export", "--state", "/state"); again != exported {
		t.Error("the next container has another authority")
	}
	address := strings.TrimSpace(p.must("inspect", "guard", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"))
	ask("http://" + net.JoinHostPort(address, "8080"))
	p.must("stop", "--time", "20", "guard")
	if code := strings.TrimSpace(p.must("inspect", "guard", "--format", "{{.State.ExitCode}}")); code != "0" {
		t.Errorf("SIGTERM ended it with %s, want 0", code)
	}
}

// TestContainer_words reads what the image's files say, where no container runs: its command lines are ours, and its configuration starts a guard.
func TestContainer_words(t *testing.T) {
	t.Parallel()
	lines := regexp.MustCompile(`(?m)CMD (\[.*\])$`).FindAllStringSubmatch(document(t, ".github", "container", "Containerfile"), -1)
	if len(lines) != 2 {
		t.Fatalf("want a command and a health check, got %q", lines)
	}
	file := filepath.Join("..", "..", ".github", "container", "guard.yaml")
	for _, line := range lines {
		var words []string
		if err := json.Unmarshal([]byte(line[1]), &words); err != nil {
			t.Fatal(err)
		}
		words = slices.DeleteFunc(words, func(word string) bool { return word == "/usr/local/bin/"+program })
		if !slices.Contains(words, "/etc/autodiscover-guard/guard.yaml") {
			t.Errorf("%q names another configuration", words)
		}
		if err := parsed(words); err != nil {
			t.Errorf("%q: %v", words, err)
		}
	}
	var out bytes.Buffer
	root := rootCommand(nil, &out, &out)
	root.SetArgs([]string{"run", "--dry-run", "--config", file, "--state", t.TempDir()})
	if err := root.Execute(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// imageContext is a directory in which the image's last stage can be built: what the first would have made is beside it.
func imageContext(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := certs.Open(filepath.Join(dir, "authority"), certs.Scope{Names: []string{"example.com"}}); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(dir, "authority", "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	_, last, found := strings.Cut(document(t, ".github", "container", "Containerfile"), "\nFROM scratch\n")
	if !found {
		t.Fatal("the image has no last stage from scratch")
	}
	for _, f := range []struct{ name, text string }{
		{"Containerfile", "FROM scratch\n" + strings.ReplaceAll(last, "--from=build ", "")},
		{".github/container/guard.yaml", document(t, ".github", "container", "guard.yaml")},
		{"etc/ssl/certs/ca-certificates.crt", string(root)},
		{"image/state/.keep", ""},
	} {
		file := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-pgo=off", "-o", filepath.Join(dir, "image", program), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}
