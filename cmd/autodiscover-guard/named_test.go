package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadPEM(t *testing.T) {
	t.Parallel()
	one := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bytes.Repeat([]byte{7}, 300)})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1, 2, 3}})
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"two and a key, with remarks":             {join([]byte("subject=CN=a\n"), one, key, []byte("subject=CN=b\n"), one), ""},
		"line ends of Windows":                    {bytes.ReplaceAll(join(one, one), []byte("\n"), []byte("\r\n")), ""},
		"a key alone":                             {key, ""},
		"nothing":                                 {nil, ""},
		"the second is still being written":       {join(one, one[:len(one)/2]), "1 of 2 certificates cannot be read"},
		"no line break between two":               {join(bytes.TrimSpace(one), one), "of 2 certificates cannot be read"},
		"a byte order mark before the first":      {join([]byte("\ufeff"), one, one), "1 of 2 certificates cannot be read"},
		"a character that is none of base64's":    {join(one, bytes.Replace(one, []byte("BwcH"), []byte("Bw?H"), 1)), "1 of 2 certificates cannot be read"},
		"a device, or something else without end": {make([]byte, maxNamed+1), "larger than 16 MiB"},
	} {
		file := filepath.Join(t.TempDir(), "roots.pem")
		if err := os.WriteFile(file, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := readPEM("upstream.roots", file)
		if c.want == "" && (err != nil || !bytes.Equal(text, c.text)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "upstream.roots: "+file)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
