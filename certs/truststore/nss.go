package truststore

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// NSS databases, changed by NSS's own certutil: the format is SQLite, but the trust in a certificate is signed with a key of the database.
//
// Firefox, Thunderbird and Chromium read their database at the start. One that has a primary password cannot be changed without it.

// nssPlaces are the databases of all profiles.
func (s *Stores) nssPlaces(context.Context) []place {
	profiles := s.profiles()
	if given, ok := s.Places[NSS]; ok {
		profiles = nil
		for _, dir := range given {
			profiles = append(profiles, profile{"NSS", resolved(dir)})
		}
	}
	known := map[string]bool{}
	for _, p := range profiles {
		known[p.dir] = true
	}
	for _, dir := range s.recorded(NSS) {
		if _, given := s.Places[NSS]; !given && !known[dir] && exists(filepath.Join(dir, "cert9.db")) {
			profiles = append(profiles, profile{"NSS", dir})
		}
	}
	all := make([]place, 0, len(profiles))
	for _, p := range profiles {
		all = append(all, s.nssPlace(p))
	}
	return all
}

// recorded are the paths of a store's places according to the journal. One that cannot be read is reported by whoever wants the record.
func (s *Stores) recorded(store string) []string {
	records, err := s.journal.records()
	if err != nil {
		return nil
	}
	var paths []string
	for _, r := range records {
		if r.Store == store {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

func (s *Stores) nssPlace(pr profile) place {
	db := "sql:" + pr.dir
	files := []string{filepath.Join(pr.dir, "cert9.db"), filepath.Join(pr.dir, "key4.db"), filepath.Join(pr.dir, "pkcs11.txt")}
	byHand := Command{"certutil", []string{"-A", "-d", db, "-n", s.name, "-t", "C,,", "-i", s.RootFile}}
	p := place{
		store: NSS, program: pr.program, path: pr.dir, files: files,
		admin: !writable(files[0]),
		find:  func(ctx context.Context) (finding, error) { return s.findNSS(ctx, db) },
		// -f: an empty password, so that certutil fails where there is one, instead of asking at the terminal.
		put: []step{s.running("certutil", append(append([]string{}, byHand.Args...), "-f", nullDevice(s.system))...)},
		take: func(f finding) []step {
			if f.alias == "" {
				return nil
			}
			return []step{s.running("certutil", "-D", "-d", db, "-n", f.alias, "-f", nullDevice(s.system))}
		},
		undo: Command{"certutil", []string{"-D", "-d", db, "-n", s.name}}.String() + ", or in the program's certificate manager",
		busy: func() string { return databaseBusy(files) },
		note: "a program that runs sees it after a restart",
		explain: func(err error) string {
			if !strings.Contains(err.Error(), "SEC_ERROR_BAD_PASSWORD") && !strings.Contains(err.Error(), "SEC_ERROR_TOKEN_NOT_LOGGED_IN") {
				return ""
			}
			return "the profile has a primary password; run this, which asks for it: " + byHand.String()
		},
	}
	switch {
	case !exists(files[0]):
		p.skip = "there is no database (cert9.db); its program makes one at its first start"
	case s.system == "windows":
		p.skip = "NSS's certutil does not exist for Windows: use the stores policies, user or system"
	case p.admin && s.Admin:
		p.skip = "the database cannot be written"
	}
	return p
}

// nullDevice is a file that is always empty.
func nullDevice(system string) string {
	if system == "windows" {
		return "NUL"
	}
	return "/dev/null"
}

// databaseBusy says why SQLite files must not be replaced.
func databaseBusy(files []string) string {
	for _, f := range files {
		for _, beside := range []string{"-journal", "-wal"} { // sqlite.org, tempfiles.html
			if exists(f + beside) {
				return f + beside + " says that a change is under way"
			}
		}
	}
	return inUse(files)
}

// listed is a line of "certutil -L": a nickname, which may have spaces, and the trust for TLS, mail and code.
var listed = regexp.MustCompile(`^(.*\S)\s+([a-zA-Z]*),([a-zA-Z]*),([a-zA-Z]*)\s*$`)

// findNSS looks under nicknames of ours, and under what NSS itself makes of the subject when a program imports the certificate
// (CERT_MakeCANickname in NSS's lib/certdb/certdb.c: common name, " - ", organisation, and a number).
func (s *Stores) findNSS(ctx context.Context, db string) (finding, error) {
	list, err := s.Run(ctx, Command{"certutil", []string{"-L", "-d", db}})
	if err != nil {
		return finding{}, err
	}
	f := finding{how: "not in the list of certutil -L"}
	for line := range strings.Lines(string(list)) {
		m := listed.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil || !strings.HasPrefix(m[1], namePrefix) && !strings.HasPrefix(m[1], s.Root.Subject.CommonName) {
			continue
		}
		text, err := s.Run(ctx, Command{"certutil", []string{"-L", "-d", db, "-n", m[1], "-a"}})
		if err != nil {
			return finding{}, err
		}
		if !s.isRoot(text) {
			if m[1] == s.name {
				f = finding{how: "another certificate has the name " + s.name}
			}
			continue
		}
		f = finding{present: strings.Contains(m[2], "C"), leftover: true, alias: m[1]}
		f.how = joinNotes(readBack("certutil -L"), fmt.Sprintf("trusted for TLS servers (%s,%s,%s)", m[2], m[3], m[4]))
		if !f.present {
			f.how = fmt.Sprintf("it is there as %q, but not trusted for TLS servers (%s,%s,%s)", m[1], m[2], m[3], m[4])
		}
		break
	}
	return f, nil
}
