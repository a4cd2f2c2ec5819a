package certs_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

// damaged opens a directory that must be refused, and proves that nothing in it was touched.
func damaged(t *testing.T, dir, path, problem, remedy string) {
	t.Helper()
	before := snapshot(t, dir)
	scope := certs.Scope{Names: []string{"example.com"}}
	_, foretold := certs.CheckOpen(dir, scope)
	a, err := certs.Open(dir, scope)
	if err == nil {
		_ = a.Close()
		t.Fatal("opened")
	}
	if path != "" {
		path = filepath.Join(dir, path)
	} else {
		path = dir
	}
	if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), problem) || !strings.Contains(err.Error(), remedy) {
		t.Errorf("error is %q\nwant %q, %q and %q in it", err, path, problem, remedy)
	}
	if d, ok := errors.AsType[*certs.DamagedError](err); !ok || d.Path != path {
		t.Errorf("error is a %T about %+v", err, d)
	}
	if foretold == nil || foretold.Error() != err.Error() {
		t.Errorf("examined: %v\nopened:   %v", foretold, err)
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("the directory was changed:\n%s\n%s", before, after)
	}
}

func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		if info.Mode().IsRegular() {
			b.Write(read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOpen_damagedFiles(t *testing.T) {
	t.Parallel()
	const restore = "restore it from a backup, or remove the directory"
	tests := map[string]struct {
		spoil         func(t *testing.T, dir string)
		path, problem string
	}{
		"root certificate is lost": {
			func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "root.pem")) }, "root.pem", "is missing",
		},
		"issuing certificate is lost": {
			func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "issuing.pem")) }, "issuing.pem", "is missing",
		},
		"only the root key is left": {
			func(t *testing.T, dir string) {
				remove(t, filepath.Join(dir, "root.pem"))
				remove(t, filepath.Join(dir, "issuing.pem"))
			}, "root.pem", "is missing",
		},
		"root certificate is empty": {
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, "root.pem"), nil) },
			"root.pem", `cannot be read: there is no "CERTIFICATE" block`,
		},
		"root certificate is cut": {
			func(t *testing.T, dir string) { halve(t, filepath.Join(dir, "root.pem")) },
			"root.pem", "cannot be read",
		},
		"issuing file is cut": {
			func(t *testing.T, dir string) { halve(t, filepath.Join(dir, "issuing.pem")) },
			"issuing.pem", "cannot be read",
		},
		"root key is cut": {
			func(t *testing.T, dir string) { halve(t, filepath.Join(dir, "root.key")) },
			"root.key", "cannot be read",
		},
		"root file has garbage in its block": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "root.pem"), []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
			}, "root.pem", "cannot be read: x509: malformed certificate",
		},
		"root file has a second certificate": {
			func(t *testing.T, dir string) {
				text := read(t, filepath.Join(dir, "root.pem"))
				write(t, filepath.Join(dir, "root.pem"), append(text, text...))
			}, "root.pem", "there is more in it than belongs there",
		},
		"issuing file has the certificate first": {
			func(t *testing.T, dir string) {
				s := stolen(t, dir)
				write(t, filepath.Join(dir, "issuing.pem"), append(certPEM(s.cert), keyPEM(t, s.key)...))
			}, "issuing.pem", `there is a "CERTIFICATE" block where a "PRIVATE KEY" one belongs`,
		},
		"root key has more behind it": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "root.key"), append(read(t, filepath.Join(dir, "root.key")), "x"...))
			}, "root.key", "there is more in it than belongs there",
		},
		"root key is another's": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "root.key"), keyPEM(t, stolen(t, dir).key))
			}, "root.key", "is not the key of root.pem",
		},
		"issuing key is another's": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "issuing.pem"),
					append(read(t, filepath.Join(dir, "root.key")), certPEM(stolen(t, dir).cert)...))
			}, "issuing.pem", "has a key that is not the key of its certificate",
		},
		"root is another's": {
			func(t *testing.T, dir string) {
				other := place(t)
				open(t, other, "example.com")
				for _, name := range []string{"root.pem", "root.key"} {
					write(t, filepath.Join(dir, name), read(t, filepath.Join(other, name)))
				}
			}, "issuing.pem", "is not vouched for by root.pem: x509: certificate signed by unknown authority",
		},
		"root file is a directory": {
			func(t *testing.T, dir string) {
				remove(t, filepath.Join(dir, "root.pem"))
				if err := os.Mkdir(filepath.Join(dir, "root.pem"), 0o700); err != nil {
					t.Fatal(err)
				}
			}, "root.pem", "is not a file",
		},
		"root is goproxy's built-in one": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "root.pem"), read(t, filepath.Join("testdata", "goproxy-ca.pem")))
			}, "root.pem", "its private key is goproxy's built-in one",
		},
		"root file is endless": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "root.pem"), bytes.Repeat([]byte("x\n"), 1<<20))
			}, "root.pem", "is larger than any file of an authority",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			open(t, dir, "example.com")
			tt.spoil(t, dir)
			damaged(t, dir, tt.path, tt.problem, restore)
		})
	}
}

func halve(t *testing.T, path string) {
	t.Helper()
	text := read(t, path)
	write(t, path, text[:len(text)/2])
}

func TestOpen_damagedModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
	tests := map[string]struct {
		path          string
		mode          os.FileMode
		problem, cure string
	}{
		"root key is readable by all":           {"root.key", 0o644, "has mode 0644", "run: chmod 600"},
		"root key is readable by the group":     {"root.key", 0o640, "has mode 0640", "run: chmod 600"},
		"issuing key is writable by the group":  {"issuing.pem", 0o620, "has mode 0620", "run: chmod 600"},
		"root certificate is writable by all":   {"root.pem", 0o666, "has mode 0666", "run: chmod 600"},
		"directory is listable by all":          {"", 0o755, "has mode 0755", "run: chmod 700"},
		"directory is searchable by the others": {"", 0o701, "has mode 0701", "run: chmod 700"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			open(t, dir, "example.com")
			chmod(t, filepath.Join(dir, tt.path), tt.mode)
			damaged(t, dir, tt.path, tt.problem, tt.cure)
		})
	}
	// A root certificate that everybody may read is no secret lost.
	dir := place(t)
	open(t, dir, "example.com")
	chmod(t, filepath.Join(dir, "root.pem"), 0o644)
	open(t, dir, "example.com")
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_notAnAuthority(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "notes.txt"), []byte("mine"))
	damaged(t, dir, "", "has files in it, and none of them is an authority's", "name a directory that is empty")

	file := filepath.Join(t.TempDir(), "file")
	write(t, file, []byte("mine"))
	damaged(t, file, "", "is not a directory", "name another directory")
}

// Certificates that somebody put in the place of ours.
func TestOpen_unfitCertificates(t *testing.T) {
	t.Parallel()
	none := func(*x509.Certificate) {}
	tests := map[string]struct {
		root, issuing func(*x509.Certificate)
		path, problem string
	}{
		"no CA": {
			none, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature },
			"issuing.pem", "it is not a CA certificate",
		},
		"may not sign certificates": {
			none, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign },
			"issuing.pem", "its key usage does not include signing certificates",
		},
		"root without name constraints": {
			func(c *x509.Certificate) { c.PermittedDNSDomains, c.ExcludedIPRanges = nil, nil }, none,
			"root.pem", "it has no name constraints",
		},
		"issuing without name constraints": {
			none, func(c *x509.Certificate) { c.PermittedDNSDomains, c.ExcludedIPRanges = nil, nil },
			"issuing.pem", "it has no name constraints",
		},
		"constraints that are not critical": {
			func(c *x509.Certificate) { c.PermittedDNSDomainsCritical = false }, none,
			"root.pem", "its name constraints are not critical",
		},
		"constraints that let IPv6 through": {
			func(c *x509.Certificate) { c.ExcludedIPRanges = c.ExcludedIPRanges[:1] }, none,
			"root.pem", "do not exclude all IP addresses",
		},
		"constraints that let half of IPv4 through": {
			func(c *x509.Certificate) { c.ExcludedIPRanges[0].Mask = net.CIDRMask(1, 32) }, none,
			"root.pem", "do not exclude all IP addresses",
		},
		"constraints that permit an address": {
			func(c *x509.Certificate) {
				c.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(32, 32)}}
			}, none, "root.pem", "do not exclude all IP addresses",
		},
		"constraints that permit everything": {
			func(c *x509.Certificate) { c.PermittedDNSDomains = []string{""} }, none,
			"root.pem", `its name constraints permit what is not a domain: name "" is empty`,
		},
		"usage beyond TLS servers": {
			func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) }, none,
			"root.pem", "its extended key usage is not TLS servers alone",
		},
		"usage of TLS clients": {
			none, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} },
			"issuing.pem", "its extended key usage is not TLS servers alone",
		},
		"usage that nobody knows": {
			func(c *x509.Certificate) {
				c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 55555, 1}}
			}, none,
			"root.pem", "its extended key usage is not TLS servers alone",
		},
		"any usage": {
			none, func(c *x509.Certificate) { c.ExtKeyUsage = nil },
			"issuing.pem", "its extended key usage is not TLS servers alone",
		},
		"root that has expired": {
			func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-2, 0, 0), time.Now().Add(-time.Hour)
			}, none,
			"root.pem", "and this computer's clock says",
		},
		"root from the future": {
			func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }, none,
			"root.pem", "and this computer's clock says",
		},
		"root that allows no tier below": {
			func(c *x509.Certificate) { c.MaxPathLenZero = true }, none,
			"root.pem", "its path length leaves no room for an issuing certificate",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			ca, below := template("root"), template("issuing")
			tt.root(ca)
			tt.issuing(below)
			root := issue(t, ca, nil)
			lay(t, dir, root, issue(t, below, root))
			damaged(t, dir, tt.path, tt.problem, "")
		})
	}
}

func TestOpen_rootSignedByAnother(t *testing.T) {
	t.Parallel()
	dir := place(t)
	top := issue(t, template("top"), nil)
	root := issue(t, template("root"), top)
	lay(t, dir, root, issue(t, template("issuing"), root))
	damaged(t, dir, "root.pem", "is not signed by itself", "")
}

// An authority that careful hands brought along may have keys of another kind.
func TestOpen_rsa(t *testing.T) {
	t.Parallel()
	dir := place(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca := template("root")
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	root := &pair{cert, key}
	lay(t, dir, root, issue(t, template("issuing"), root))
	a := open(t, dir, "example.com")
	leaf, err := a.Leaf("example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(a.Root(), leaf.Certificate, "example.com"); err != nil {
		t.Error(err)
	}
}
