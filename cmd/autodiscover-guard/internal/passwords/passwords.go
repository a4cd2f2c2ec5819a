// Package passwords is a file of names and password hashes for the proxy's own log-in:
//
//	# htpasswd -B -c passwords jane
//	jane:$2y$12$…
//	joe:$argon2id$v=19$m=65536,t=3,p=1$…$…
//
// bcrypt and argon2id are read, because both make guessing dear. Whatever else htpasswd writes (MD5, SHA-1, crypt) is refused.
package passwords

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"unicode/utf8"

	"autodiscover-guard/cmd/autodiscover-guard/internal/secretfile"
)

const (
	// maxFile bounds the file, and with it the log-ins that are remembered; maxPassword bounds what is hashed (bcrypt reads 72 bytes).
	maxFile     = 4 << 20
	maxPassword = 1024
)

// File is a file of names and hashes. It is safe for concurrent use; what [Read] returns does not change.
type File struct {
	hashes map[string]hash
	// texts are the hashes as they are written.
	texts map[string]string
	// every has the same hashes in the file's order. One of them stands in for the hash of a name that is not there, so that both take equally long.
	every []hash
	queue fairQueue

	// known are log-ins that were right, hashed with a key of this process: a client says the same with every request, and a hash is made to be slow.
	key   []byte
	mu    sync.Mutex
	known map[[sha256.Size]byte]string // to the name
}

// Read reads a file, as [secretfile.Open] allows it: who could write into it could log in, and who could read it could guess at leisure. The error names the line and never what stands in it.
func Read(path string) (*File, error) {
	f, err := secretfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
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
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors of Windows write a byte order mark, which is no part of the first name
	f := &File{hashes: make(map[string]hash), texts: make(map[string]string), known: make(map[[sha256.Size]byte]string), key: make([]byte, 32)}
	_, _ = rand.Read(f.key) // crypto/rand never fails since Go 1.24
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimRight(line, " \t\r\n")
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
		f.hashes[name], f.texts[name] = h, text
		f.every = append(f.every, h)
	}
	if len(f.hashes) == 0 {
		return nil, errors.New(" no names in it; nobody could log in")
	}
	return f, nil
}

// Len is how many names there are.
func (f *File) Len() int { return len(f.hashes) }

// Follow has f know the log-ins that were right by former, of those names whose hashes are the same in both: whoever reads a file again would have everybody hashed anew, and all but a few of
// those behind one address turned away. It is to be called before f is asked for anything.
func (f *File) Follow(former *File) {
	former.mu.Lock()
	defer former.mu.Unlock()
	f.key = former.key
	for mark, user := range former.known {
		if text, there := f.texts[user]; there && text == former.texts[user] {
			f.known[mark] = user
		}
	}
}

// Allowed reports whether the password is the user's. A wrong one, and an unknown name, take as long as a right one does for the first time.
//
// Hashes are computed few at a time. client is whom that is booked on: it takes turns with others, and of its own attempts one is looked at while
// a few wait. The error says that the password was not looked at: it is [ErrTooMany] beyond that, or that of ctx, which ends the wait.
func (f *File) Allowed(ctx context.Context, client netip.Addr, user, password string) (bool, error) {
	if len(user) > maxPassword || len(password) > maxPassword {
		return false, nil
	}
	mark := f.digest(user, password)
	if f.knows(mark) {
		return true, nil
	}
	return f.queue.ask(ctx, client, mark, func() bool {
		h, there := f.hashes[user]
		if !there {
			h = f.dummyHash(user)
		}
		if !h.matches(password) || !there {
			return false
		}
		f.remember(mark, user)
		return true
	})
}

// dummyHash is the hash that is computed for a name that is not there: always the same one for a name, and of all kinds that the file has as often as
// for names that are there. The dearest of all would tell a name with a cheaper one from an unknown one.
func (f *File) dummyHash(user string) hash {
	mark := f.digest(user, "")
	return f.every[binary.BigEndian.Uint64(mark[:])%uint64(len(f.every))]
}

func (f *File) knows(mark [sha256.Size]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.known[mark]
	return known
}

func (f *File) remember(mark [sha256.Size]byte, user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[mark] = user
}

// digest is the keyed hash that stands for a name and a password.
func (f *File) digest(user, password string) [sha256.Size]byte {
	m := hmac.New(sha256.New, f.key)
	_, _ = io.WriteString(m, user+"\x00"+password)
	return [sha256.Size]byte(m.Sum(nil))
}
