package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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

// memory is the strangers that have been seen. It is not safe for concurrent use.
type memory struct {
	file  string // empty where nothing is to be written
	known map[string]*sighting
	dirty bool
}

// sighting is when a stranger was seen. It is told once a notification about it has been delivered, and on disk from then on.
type sighting struct {
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

// openMemory reads what is remembered. With an error there is a memory all the same, an empty one: what cannot be read is kept beside it, and the error says
// where, or, if that does not work, nothing is written over it.
func openMemory(file string) (*memory, error) {
	m := &memory{file: file, known: make(map[string]*sighting)}
	err := m.read()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	aside := file + ".unread-" + time.Now().UTC().Format("2006-01-02T15-04-05.000")
	if moved := os.Rename(file, aside); moved != nil {
		m.file = ""
		return m, errors.Join(err, moved)
	}
	return m, fmt.Errorf("%w; it is kept as %q", err, aside)
}

func (m *memory) read() error {
	f, err := os.Open(m.file)
	if err != nil {
		return err
	}
	defer f.Close()
	var on memoryFile
	if err := json.NewDecoder(io.LimitReader(f, largestMemory)).Decode(&on); err != nil {
		return fmt.Errorf("reading %q: %w", m.file, err)
	}
	if on.Version != memoryVersion {
		return fmt.Errorf("reading %q: version %d, want %d", m.file, on.Version, memoryVersion)
	}
	for _, s := range on.Strangers {
		if s.Host != "" && len(s.Host) <= longestHost && len(m.known) < MostStrangers {
			m.known[s.Host] = &sighting{first: s.First, last: s.Last, told: true}
		}
	}
	return nil
}

// addNew returns those hosts that were not seen before, and remembers all.
func (m *memory) addNew(hosts []string, now time.Time) (fresh []string) {
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
		m.known[h] = &sighting{first: now, last: now}
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

// confirm has hosts remembered for good, since they were told of; forget has those be new again that were not.
func (m *memory) confirm(hosts []string) {
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
	if !m.dirty || m.file == "" {
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
