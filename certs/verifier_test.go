package certs_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The verifiers at hand: programs and libraries that know nothing of this package and connect to a TLS server on loopback, trusting only the
// roots that they are given.

// site is a server with a chain that a client is to judge.
type site struct {
	ask  string // the name, or the address, that the client asks for
	port int
}

// serveSite starts the server. It sends whatever chain it is given, which may be one that Go itself cannot parse.
func serveSite(t *testing.T, ask string, chain [][]byte, key crypto.Signer) site {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") }),
		ReadHeaderTimeout: 2 * time.Minute, // a browser that starts on a busy computer is silent for long between connecting and asking
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("address is a %T", l.Addr())
	}
	return site{ask, addr.Port}
}

func (s site) isAddress() bool { return net.ParseIP(s.ask) != nil }

// verdict is what a verifier says of a site.
type verdict struct {
	accepted bool
	why      string
}

// verifier asks for all sites and returns a verdict for each.
type verifier struct {
	name     string
	programs []string // without one of these it cannot be asked
	packages string   // where Debian has them
	version  []string // a command that says it
	// unordered is a verifier that keeps roots in no order, or that takes so long to start that one order must do.
	unordered bool
	judge     func(t *testing.T, roots []*x509.Certificate, sites []site) []verdict
}

// python is Debian's own: another in the path may be built with another TLS library.
const python = "/usr/bin/python3"

var verifiers = []verifier{
	{name: "Go", judge: goJudge, version: []string{"go", "env", "GOVERSION"}},
	{name: "OpenSSL", programs: []string{"openssl"}, packages: "openssl", version: []string{"openssl", "version"}, judge: oneByOne(opensslClient)},
	{name: "GnuTLS", programs: []string{"gnutls-cli"}, packages: "gnutls-bin", version: []string{"gnutls-cli", "--version"}, judge: oneByOne(gnutlsClient)},
	{name: "NSS", programs: []string{"tstclnt", "certutil"}, packages: "libnss3-tools", version: []string{"dpkg-query", "-W", "libnss3-tools"}, judge: nssJudge},
	{name: "curl", programs: []string{"curl"}, packages: "curl", version: []string{"curl", "--version"}, judge: oneByOne(curlClient)},
	{
		name: "Python", programs: []string{python}, packages: "python3", version: []string{python, "--version"},
		judge: batch(python, filepath.Join("testdata", "verify.py")),
	},
	// The compiler is not in default-jre-headless.
	{
		name: "Java", programs: []string{"java", "javac"}, packages: "default-jdk-headless", version: []string{"java", "--version"},
		judge: javaJudge, unordered: true,
	},
	{name: "Chromium", programs: []string{"chromium", "certutil"}, packages: "chromium, libnss3-tools", version: []string{"chromium", "--version"}, judge: chromiumJudge, unordered: true},
}

// missing says why a verifier cannot be asked here, or nothing.
func (v verifier) missing() string {
	for _, program := range v.programs {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("%s is not installed (Debian: %s)", program, v.packages)
		}
	}
	return ""
}

func (v verifier) versionLine(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), v.version[0], v.version[1:]...).Output()
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first)
}

// trustFile writes roots into a file of PEM.
func trustFile(t *testing.T, roots []*x509.Certificate) string {
	t.Helper()
	var text bytes.Buffer
	for _, c := range roots {
		text.Write(certPEM(c))
	}
	path := filepath.Join(t.TempDir(), "roots.pem")
	write(t, path, text.Bytes())
	return path
}

func goJudge(_ *testing.T, roots []*x509.Certificate, sites []site) []verdict {
	pool := x509.NewCertPool()
	for _, c := range roots {
		pool.AddCert(c)
	}
	var all []verdict
	for _, s := range sites {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: s.ask}}
		conn, err := dialer.Dial("tcp", s.address())
		if err == nil {
			err = conn.Close()
		}
		all = append(all, verdict{err == nil, fmt.Sprint(err)})
	}
	return all
}

func (s site) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// oneByOne is a verifier that is a command per site, whose exit code is the verdict.
func oneByOne(command func(roots string, s site) []string) func(*testing.T, []*x509.Certificate, []site) []verdict {
	return func(t *testing.T, roots []*x509.Certificate, sites []site) []verdict {
		t.Helper()
		file := trustFile(t, roots)
		var all []verdict
		for _, s := range sites {
			all = append(all, run(t, command(file, s)...))
		}
		return all
	}
}

// run says accepted for exit code 0. A program that could not be started, or that was killed, gives no verdict.
func run(t *testing.T, args ...string) verdict {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return verdict{err == nil, string(out)}
}

func opensslClient(roots string, s site) []string {
	args := []string{"openssl", "s_client", "-connect", s.address(), "-CAfile", roots, "-no-CApath", "-no-CAstore", "-verify_return_error", "-x509_strict"}
	if s.isAddress() {
		return append(args, "-noservername", "-verify_ip", s.ask)
	}
	return append(args, "-servername", s.ask, "-verify_hostname", s.ask)
}

func gnutlsClient(roots string, s site) []string {
	args := []string{"gnutls-cli", "--x509cafile", roots, "--port", strconv.Itoa(s.port), "--verify-hostname", s.ask}
	if s.isAddress() {
		return append(args, "--disable-sni", "127.0.0.1")
	}
	return append(args, "--sni-hostname", s.ask, "127.0.0.1")
}

func curlClient(roots string, s site) []string {
	host := net.JoinHostPort(s.ask, strconv.Itoa(s.port))
	return []string{
		"curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", roots, "--capath", filepath.Dir(roots),
		"--resolve", host + ":127.0.0.1", "https://" + host + "/",
	}
}

// batch is a verifier that asks for all sites in one run of a script: it prints a line for each.
func batch(program string, script ...string) func(*testing.T, []*x509.Certificate, []site) []verdict {
	return func(t *testing.T, roots []*x509.Certificate, sites []site) []verdict {
		t.Helper()
		args := append(slices.Clone(script), trustFile(t, roots))
		for _, s := range sites {
			args = append(args, s.ask, strconv.Itoa(s.port))
		}
		out, err := exec.CommandContext(t.Context(), program, args...).Output()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(lines) != len(sites) {
			t.Fatalf("%s: %v, %d answers for %d sites\n%s", program, err, len(lines), len(sites), out)
		}
		var all []verdict
		for _, line := range lines {
			all = append(all, verdict{line == "accepted", line})
		}
		return all
	}
}

var compileVerify sync.Once

// javaJudge starts the program without its compiler, which takes most of the time and has done its work once.
func javaJudge(t *testing.T, roots []*x509.Certificate, sites []site) []verdict {
	t.Helper()
	compileVerify.Do(func() {
		build(t, "javac", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-d", built, filepath.Join("testdata", "Verify.java"))
	})
	return batch("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", built, "Verify")(t, roots, sites)
}

// nssDatabase makes a database that trusts the roots for TLS servers.
func nssDatabase(t *testing.T, dir string, roots []*x509.Certificate) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db := "sql:" + dir
	if v := run(t, "certutil", "-N", "-d", db, "--empty-password"); !v.accepted {
		t.Fatal(v.why)
	}
	for i, c := range roots {
		if v := run(t, "certutil", "-A", "-d", db, "-n", fmt.Sprint("root", i), "-t", "C,,", "-i", trustFile(t, []*x509.Certificate{c})); !v.accepted {
			t.Fatal(v.why)
		}
	}
	return db
}

func nssJudge(t *testing.T, roots []*x509.Certificate, sites []site) []verdict {
	t.Helper()
	db := nssDatabase(t, filepath.Join(t.TempDir(), "nss"), roots)
	var all []verdict
	for _, s := range sites {
		args := []string{"tstclnt", "-d", db, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-Q", "-V", "tls1.2:tls1.3"}
		if !s.isAddress() {
			args = append(args, "-a", s.ask)
		}
		all = append(all, run(t, args...))
	}
	return all
}
