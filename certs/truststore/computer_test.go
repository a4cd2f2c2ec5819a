package truststore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autodiscover-guard/certs/truststore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// computer is a made-up one: a directory for its root, and programs that are recorded instead of run.
type computer struct {
	root   string
	stores *truststore.Stores
	cert   *x509.Certificate
	pem    []byte
	others string   // the bundle that the distribution brings
	ran    []string // commands, with the parts that differ from test to test named
	// answer plays a program; nil answers nothing.
	answer func(truststore.Command) ([]byte, error)
}

// newComputer makes a computer of a system with files on it; those whose name ends in a slash are directories.
func newComputer(t *testing.T, system string, admin bool, files ...string) *computer {
	t.Helper()
	c := &computer{root: t.TempDir()}
	for _, f := range files {
		path := filepath.Join(c.root, f)
		if strings.HasSuffix(f, "/") {
			path += "/x"
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f, "/") {
			c.write(t, f, "")
		}
	}
	c.cert = selfSigned(t)
	c.pem = encoded(c.cert)
	c.others = "# the distribution's\n" + string(encoded(selfSigned(t)))
	c.write(t, "root.pem", string(c.pem))
	var err error
	c.stores, err = truststore.At(system, c.root, truststore.Config{
		Root: c.cert, RootFile: filepath.Join(c.root, "root.pem"), Journal: filepath.Join(c.root, "journal"), Home: filepath.Join(c.root, "home"),
		Admin: admin, Getenv: func(string) string { return "" }, Run: c.run,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *computer) run(ctx context.Context, command truststore.Command) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.ran = append(c.ran, c.told(command.String()))
	if c.answer == nil {
		return nil, nil
	}
	return c.answer(command)
}

// told names what differs from test to test.
func (c *computer) told(text string) string {
	copied := filepath.Join(c.root, "journal", fmt.Sprintf("%x.pem", sha256.Sum256(c.cert.Raw)))
	return strings.NewReplacer(copied, "/copy.pem", c.root, "", c.stores.Name(), "NAME").Replace(text)
}

func (c *computer) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.root, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *computer) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree is every file of the computer but the journal, with its content.
func (c *computer) tree(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(c.root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if link, err := os.Readlink(path); err == nil {
			b.WriteString(path + " -> " + link + "\n")
			return nil
		}
		if d.IsDir() {
			if d.Name() == "journal" {
				return filepath.SkipDir
			}
			b.WriteString(path + "/\n")
			return nil
		}
		text, err := os.ReadFile(path)
		b.WriteString(path + ": " + string(text) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// failed is what a program returns that ended badly.
func failed(c truststore.Command, said string) error {
	return &truststore.RunError{Command: c, Said: said, Err: os.ErrInvalid}
}

func selfSigned(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "test root 7", Organization: []string{"tests"}}, BasicConstraintsValid: true, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func encoded(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// only is the report on the one place that there is.
func only(t *testing.T, reports []truststore.Report) truststore.Report {
	t.Helper()
	if len(reports) != 1 {
		t.Fatalf("want one report, got %+v", reports)
	}
	return reports[0]
}

func sha1Hex(cert *x509.Certificate) string { return fmt.Sprintf("%X", sha1.Sum(cert.Raw)) }
