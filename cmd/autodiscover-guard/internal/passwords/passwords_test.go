package passwords_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"autodiscover-guard/cmd/autodiscover-guard/internal/passwords"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func hashes(t *testing.T) (bcrypted, argoned string) {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte("open sesame"), 10)
	if err != nil {
		t.Fatal(err)
	}
	salt := []byte("0123456789abcdef")
	key := argon2.IDKey([]byte("open: sesame"), salt, 1, 7168, 1, 32)
	e := base64.RawStdEncoding
	return string(b), "$argon2id$v=19$m=7168,t=1,p=1$" + e.EncodeToString(salt) + "$" + e.EncodeToString(key)
}

func TestFile_Allowed(t *testing.T) {
	b, a := hashes(t)
	long, err := bcrypt.GenerateFromPassword([]byte(strings.Repeat("x", 72)), 10)
	if err != nil {
		t.Fatal(err)
	}
	f, err := passwords.Read(write(t, "\ufeffjane:"+b+"\r\n# who may come\n\njoe:"+a+"\njill:"+string(long)))
	if err != nil || f.Len() != 3 {
		t.Fatal(f, err)
	}
	for _, c := range []struct {
		user, password string
		want           bool
	}{
		{"jane", "open sesame", true},
		{"jane", "open sesame", true}, // remembered
		{"joe", "open: sesame", true},
		{"jane", "open: sesame", false},
		{"joe", "", false},
		{"", "open sesame", false},
		{"jim", "open sesame", false},
		{"jan", "eopen sesame", false}, // together the same as what is remembered
		{"Jane", "open sesame", false},
		{"jane", "open sesame" + strings.Repeat("x", 2000), false},
		{"jill", strings.Repeat("x", 72), true},
		{"jill", strings.Repeat("x", 73), false}, // bcrypt would not read the last one
	} {
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if got, err := f.Allowed(t.Context(), netip.Addr{}, c.user, c.password); got != c.want || err != nil {
					t.Errorf("%s, %s: got %v, %v", c.user, c.password, got, err)
				}
			})
		}
		all.Wait()
	}
}

func TestRead_refuses(t *testing.T) {
	b, a := hashes(t)
	salt, key := strings.Split(a, "$")[4], strings.Split(a, "$")[5]
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"# nobody\n", "nobody could log in"},
		"no colon":        {"jane\n", ":1: want a name, a colon and a hash"},
		"no name":         {":" + b, ":1: want a name, a colon and a hash"},
		"twice":           {"jane:" + b + "\njane:" + a, ":2: the name stands there twice"},
		"in the clear":    {"jane:open sesame", "no hash that resists guessing"},
		"MD5":             {"jane:$apr1$xxxxxxxx$xxxxxxxxxxxxxxxxxxxxxx", "no hash that resists guessing"},
		"SHA-1":           {"jane:{SHA}xxxxxxxxxxxxxxxxxxxxxxxxxxx=", "no hash that resists guessing"},
		"cut off":         {"jane:" + b[:59], "damaged"},
		"no bcrypt":       {"jane:$2" + strings.Repeat("x", 58), "damaged"},
		"cheap":           {"jane:" + strings.Replace(b, "$10$", "$09$", 1), "cost 9"},
		"dear":            {"jane:" + strings.Replace(b, "$10$", "$17$", 1), "cost 17"},
		"too long":        {strings.Repeat("#", 4<<20) + "\njane:" + b, "more than 4 MiB"},
		"argon2i":         {"jane:" + strings.Replace(a, "argon2id", "argon2i", 1), "no hash that resists guessing"},
		"argon2 v1.0":     {"jane:" + strings.Replace(a, "v=19", "v=16", 1), "damaged"},
		"argon2 cheap":    {"jane:" + strings.Replace(a, "m=7168", "m=7167", 1), "m=7167"},
		"argon2 too dear": {"jane:" + strings.Replace(a, "m=7168", "m=262145", 1), "m=262145"},
		"argon2 no time":  {"jane:" + strings.Replace(a, "t=1", "t=0", 1), "t=0"},
		"argon2 too long": {"jane:" + strings.Replace(a, "t=1", "t=17", 1), "t=17"},
		"argon2 no lane":  {"jane:" + strings.Replace(a, "p=1", "p=0", 1), "p=0"},
		"argon2 too wide": {"jane:" + strings.Replace(a, "p=1", "p=17", 1), "p=17"},
		"argon2 wider":    {"jane:" + strings.Replace(a, "p=1", "p=257", 1), "p=255"},
		"argon2 no salt":  {"jane:" + strings.Replace(a, salt, salt[:10], 1), "damaged"}, // 7 bytes
		"argon2 bad salt": {"jane:" + strings.Replace(a, salt, salt+"!", 1), "damaged"},
		"argon2 key cut":  {"jane:" + strings.Replace(a, key, key[:20], 1), "damaged"}, // 15 bytes
		"argon2 bad key":  {"jane:" + a + "!", "damaged"},
		"argon2 long key": {"jane:" + strings.Replace(a, key, strings.Repeat("xxxx", 22), 1), "damaged"},
		"argon2 cut off":  {"jane:" + a[:40], "damaged"},
		"argon2 a word":   {"jane:" + strings.Replace(a, "t=1", "t=one", 1), "damaged"},
		"argon2 odd":      {"jane:" + strings.Replace(a, "p=1", "q=1", 1), "damaged"},
		"Latin-1":         {"j\xe4ne:" + b, "UTF-8"},
	} {
		_, err := passwords.Read(write(t, c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: a password is in the error: %v", name, err)
		}
	}
	// What is just within the bounds is read.
	least, most := "$argon2id$v=19$m=7168,t=1,p=1$MDEyMzQ1Njc$"+strings.Repeat("A", 22), "$argon2id$v=19$m=262144,t=16,p=16$MDEyMzQ1Njc$"+strings.Repeat("A", 86)
	dearest := strings.Replace(b, "$10$", "$16$", 1)
	all := "\nleast:" + least + "\nmost:" + most + "\ndearest:" + dearest
	if _, err := passwords.Read(write(t, "#"+strings.Repeat("-", 4<<20-1-len(all))+all)); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	if f, err := passwords.Read(filepath.Join(dir, "absent")); f != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: got %v, %v", f, err)
	}
	if f, err := passwords.Read(dir); f != nil || err == nil || strings.Contains(err.Error(), "no names") {
		t.Errorf("a directory: got %v, %v", f, err)
	}
	path := write(t, "jane:"+b)
	for _, mode := range []fs.FileMode{0o620, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := passwords.Read(path); err == nil || !strings.Contains(err.Error(), "written by others") {
			t.Errorf("mode %04o: got %v", mode, err)
		}
	}
}

// The hashes that the usual programs write are read.
func TestRead_foreignHashes(t *testing.T) {
	for name, args := range map[string][]string{
		"htpasswd": {"htpasswd", "-nbB", "-C", "10", "jane", "open sesame"},
		"argon2":   {"sh", "-c", `printf %s "jane:"; printf %s "open sesame" | argon2 0123456789abcdef -id -m 13 -t 1 -p 1 -e`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("%s is not installed", name)
			}
			out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			f, err := passwords.Read(write(t, string(out)))
			if err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			for password, want := range map[string]bool{"open sesame": true, "open  sesame": false} {
				if got, err := f.Allowed(t.Context(), netip.Addr{}, "jane", password); got != want || err != nil {
					t.Errorf("%q, %q: got %v, %v", out, password, got, err)
				}
			}
		})
	}
}
