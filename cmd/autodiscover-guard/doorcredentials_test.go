package main

import (
	"context"
	"encoding/base64"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/argon2"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// Whoever has logged in stays so over a reload: nothing is computed for him again, for which nobody waits here.
func TestCredentialStore_replace(t *testing.T) {
	salt := []byte("0123456789abcdef")
	key := argon2.IDKey([]byte("open sesame"), salt, 1, 7168, 1, 32)
	c := config.Default()
	c.Clients.Passwords = filepath.Join(t.TempDir(), "passwords")
	line := "jane:$argon2id$v=19$m=7168,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key)
	if err := os.WriteFile(c.Clients.Passwords, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() *doorCredentials {
		p, err := readDoorCredentials(c)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	d := new(credentialStore)
	d.current.Store(read())
	if right, err := d.Allowed(t.Context(), netip.Addr{}, "jane", "open sesame"); !right || err != nil {
		t.Fatal(right, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	d.replace(read())
	if right, err := d.Allowed(gone, netip.Addr{}, "jane", "open sesame"); !right || err != nil {
		t.Errorf("the same file: %v, %v", right, err)
	}
	asked := make(chan bool, 200)
	go func() {
		defer close(asked)
		for range cap(asked) {
			right, err := d.Allowed(gone, netip.Addr{}, "jane", "open sesame")
			asked <- right && err == nil
		}
	}()
	<-asked // the others come while the file, which is kept, is put in force once more
	d.replace(&doorCredentials{passwords: d.current.Load().passwords})
	for right := range asked {
		if !right {
			t.Error("kept: asked anew")
		}
	}
	d.replace(new(doorCredentials))
	if right, err := d.Allowed(t.Context(), netip.Addr{}, "jane", "open sesame"); right || err != nil {
		t.Errorf("no file any more: %v, %v", right, err)
	}
	d.replace(read())
}
