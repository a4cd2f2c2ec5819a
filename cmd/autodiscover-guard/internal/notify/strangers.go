package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// MostStrangers is how many strangers are remembered.
	MostStrangers = 8192
	// longestHost is more than any name in the DNS has.
	longestHost = 300
	// largestMemory is more than the file of MostStrangers can have.
	largestMemory = 8 << 20
	memoryVersion = 1
)

// memory is which strangers have been seen. It is not safe for concurrent use.
type memory struct {
	file  string
	known map[string]*sight
	dirty bool
}

// sight is when a stranger was seen. It is told once a notification about it has been delivered, and on disk from then on.
type sight struct {
	first, last time.Time
	told        bool
}

// memoryFile is the form on disk.
type memoryFile struct {
	Version   int          `json:"version"`
	Strangers []memoryLine `json:"strangers"`
}

type memoryLine struct {
	Host  string    `json:"host"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// openMemory reads what is remembered. With an error there is a memory all the same, an empty one.
func openMemory(file string) (*memory, error) {
	m := &memory{file: file, known: make(map[string]*sight)}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer f.Close()
	var on memoryFile
	if err := json.NewDecoder(io.LimitReader(f, largestMemory)).Decode(&on); err != nil {
		return m, fmt.Errorf("reading %q: %w", file, err)
	}
	if on.Version != memoryVersion {
		return m, fmt.Errorf("reading %q: version %d, want %d", file, on.Version, memoryVersion)
	}
	for _, s := range on.Strangers {
		if s.Host != "" && len(s.Host) <= longestHost && len(m.known) < MostStrangers {
			m.known[s.Host] = &sight{first: s.First, last: s.Last, told: true}
		}
	}
	return m, nil
}

// meet gives those hosts that were not seen before, and takes note of all.
func (m *memory) meet(hosts []string, now time.Time) (fresh []string) {
	for _, h := range hosts {
		if len(h) > longestHost {
			h = h[:longestHost]
		}
		if s := m.known[h]; s != nil {
			s.last = now
			continue
		}
		if len(m.known) >= MostStrangers {
			m.forgetOldest()
		}
		m.known[h] = &sight{first: now, last: now}
		fresh = append(fresh, h)
	}
	return fresh
}

func (m *memory) forgetOldest() {
	oldest := ""
	for h, s := range m.known {
		if oldest == "" || s.last.Before(m.known[oldest].last) {
			oldest = h
		}
	}
	delete(m.known, oldest)
	m.dirty = true
}

// told remembers hosts for good; without that, forget has them be new again.
func (m *memory) told(hosts []string) {
	for _, h := range hosts {
		if s := m.known[h]; s != nil {
			s.told, m.dirty = true, true
		}
	}
}

func (m *memory) forget(hosts []string) {
	for _, h := range hosts {
		if s := m.known[h]; s != nil && !s.told {
			delete(m.known, h)
		}
	}
}

// text is what is to be on disk, nil where that is there already.
func (m *memory) text() []byte {
	if !m.dirty {
		return nil
	}
	m.dirty = false
	on := memoryFile{Version: memoryVersion, Strangers: []memoryLine{}}
	for h, s := range m.known {
		if s.told {
			on.Strangers = append(on.Strangers, memoryLine{h, s.first.UTC(), s.last.UTC()})
		}
	}
	slices.SortFunc(on.Strangers, func(a, b memoryLine) int { return strings.Compare(a.Host, b.Host) })
	text, err := json.MarshalIndent(on, "", " ")
	if err != nil { // names and times can always be written
		return nil
	}
	return append(text, '\n')
}

// replaceFile puts a file in the place of another, whole or not at all.
func replaceFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".new-") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
