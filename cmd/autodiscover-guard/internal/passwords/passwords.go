// Package passwords is a file of names and password hashes for the proxy's own log-in:
//
//	# htpasswd -B -c passwords jane
//	jane:$2y$12$…
//	joe:$argon2id$v=19$m=65536,t=3,p=1$…$…
//
// bcrypt and argon2id are read, because both make guessing dear. Whatever else htpasswd writes (MD5, SHA-1, crypt) is refused.
package passwords

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	// maxFile bounds the file, maxKnown the log-ins that are remembered, maxPassword what is hashed (bcrypt reads 72 bytes).
	maxFile     = 4 << 20
	maxKnown    = 4096
	maxPassword = 1024
	// atOnce is how many hashes are computed at the same time, so that guessing does not take the whole computer.
	atOnce = 2
)

// File is a file of names and hashes. It is safe for concurrent use; what [Read] returns does not change.
type File struct {
	hashes map[string]hash
	// other stands in for the hash of a name that is not there, so that both take equally long.
	other hash
	slots chan struct{}

	// known are log-ins that were right, hashed with a key of this process: a client says the same with every request, and a hash is made to be slow.
	key   []byte
	mu    sync.Mutex
	known map[[sha256.Size]byte]struct{}
}

// Read reads a file. The error names the line and never what stands in it. Nobody but the owner may be able to write the file.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := notWritableByOthers(f); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s: more than %d MiB", path, maxFile>>20)
	}
	file, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return file, nil
}

// parse reads the text of a file.
func parse(data []byte) (*File, error) {
	if !utf8.Valid(data) {
		return nil, errors.New(" not in UTF-8")
	}
	f := &File{hashes: make(map[string]hash), known: make(map[[sha256.Size]byte]struct{}), key: make([]byte, 32), slots: make(chan struct{}, atOnce)}
	_, _ = rand.Read(f.key) // crypto/rand never fails since Go 1.24
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxFile)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		name, text, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, fmt.Errorf("%d: want a name, a colon and a hash", n)
		}
		if _, before := f.hashes[name]; before {
			return nil, fmt.Errorf("%d: the name stands there twice", n)
		}
		h, err := parseHash(text)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		f.hashes[name] = h
		if f.other == nil || h.cost() > f.other.cost() {
			f.other = h
		}
	}
	if len(f.hashes) == 0 {
		return nil, errors.New(" no names in it; nobody could log in")
	}
	return f, nil
}

// Len is how many names there are.
func (f *File) Len() int { return len(f.hashes) }

// Allowed reports whether the password is the user's. A wrong one, and an unknown name, take as long as a right one does for the first time.
func (f *File) Allowed(user, password string) bool {
	if len(user) > maxPassword || len(password) > maxPassword {
		return false
	}
	mark := f.mark(user, password)
	f.mu.Lock()
	_, known := f.known[mark]
	f.mu.Unlock()
	if known {
		return true
	}
	h, there := f.hashes[user]
	if !there {
		h = f.other
	}
	f.slots <- struct{}{}
	right := h.is(password)
	<-f.slots
	if !right || !there {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= maxKnown {
		clear(f.known)
	}
	f.known[mark] = struct{}{}
	return true
}

// mark stands for a name and a password.
func (f *File) mark(user, password string) [sha256.Size]byte {
	m := hmac.New(sha256.New, f.key)
	_, _ = io.WriteString(m, user+"\x00"+password)
	return [sha256.Size]byte(m.Sum(nil))
}
