package truststore

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
)

// Enterprise policies of Firefox and Thunderbird: a file makes every profile of the computer, and every later one, trust the certificate at the
// program's next start.
//
// The program reads one file only: on Linux /etc/<program>/policies/policies.json, if it exists, else that of its own directory
// (toolkit/components/enterprisepolicies/EnterprisePoliciesParent.sys.mjs, Thunderbird 153, Firefox ESR 153). So the one that it reads today is
// edited; a new one in /etc would switch the other off. Debian's firefox-esr has its preferences in /etc/firefox-esr, but its policies in /etc/firefox.
//
// It then copies the certificate into the profile, where it stays when the policy goes: the store NSS finds it there.

// policyProgram is a program with policies.
type policyProgram struct {
	name string
	etc  string   // directory of its configuration, "" where it has none
	dirs []string // where it may be installed, each with "distribution" in it
}

var policyPrograms = map[string][]policyProgram{
	"linux": {
		{"Thunderbird", "/etc/thunderbird", []string{"/usr/lib/thunderbird", "/usr/lib64/thunderbird", "/opt/thunderbird", "/snap/thunderbird/current"}},
		{"Firefox", "/etc/firefox", []string{
			"/usr/lib/firefox", "/usr/lib64/firefox", "/opt/firefox", "/snap/firefox/current", "/usr/lib/firefox-esr", "/usr/lib64/firefox-esr",
		}},
	},
	"darwin": {
		{"Thunderbird", "", []string{"/Applications/Thunderbird.app/Contents/Resources"}},
		{"Firefox", "", []string{"/Applications/Firefox.app/Contents/Resources"}},
	},
	"windows": {
		{"Thunderbird", "", []string{"Program Files/Mozilla Thunderbird"}},
		{"Firefox", "", []string{"Program Files/Mozilla Firefox"}},
	},
}

// policyPlaces are the policies of the programs that are installed, and files that were named when the root was put there.
func (s *Stores) policyPlaces(context.Context) []place {
	var all []place
	add := func(program, file string, admin bool) {
		p := s.policyPlace(program, file)
		if p.admin = admin; !slices.ContainsFunc(all, func(q place) bool { return q.path == p.path }) {
			all = append(all, p)
		}
	}
	if given, ok := s.Places[Policies]; ok {
		for _, file := range given {
			add(anyProgram, file, false) // whoever names a file is taken to be its owner; if not, writing it says so
		}
		return all
	}
	for _, program := range policyPrograms[s.system] {
		if file := s.policiesFile(program); file != "" {
			add(program.name, file, true)
		}
	}
	for _, file := range s.recorded(Policies) {
		if exists(file) {
			add(anyProgram, file, !writable(file))
		}
	}
	return all
}

// anyProgram is whose a file is of which nothing but its name is known.
const anyProgram = "Firefox or Thunderbird"

// policiesFile is the file that a program reads, or would if it existed; "" if the program is not there.
func (s *Stores) policiesFile(program policyProgram) string {
	own := ""
	for _, pattern := range program.dirs {
		for _, dir := range s.globSystem(pattern) {
			if file := filepath.Join(dir, "distribution", "policies.json"); own == "" || exists(file) {
				own = file
			}
		}
	}
	if program.etc == "" {
		return own
	}
	etc := s.under(program.etc + "/policies/policies.json")
	switch {
	case own == "" && !exists(s.under(program.etc)):
		return ""
	case own != "" && !exists(etc) && exists(own):
		return own
	}
	return etc
}

func (s *Stores) policyPlace(program, file string) place {
	file = resolved(file)
	certificate := filepath.Join(filepath.Dir(file), s.name+".pem") // beside it, where also a confined program may read
	edit := func(says string, change func([]byte, string) ([]byte, error)) step {
		return step{says + " " + file, func(context.Context) error { return editFile(file, certificate, change) }}
	}
	return place{
		store: Policies, program: program, path: file, files: []string{file, certificate}, vacant: saysNothing,
		find: func(context.Context) (finding, error) { return s.findPolicy(file, certificate) },
		put:  []step{writing(certificate, s.rootPEM()), edit("insert it into policies.Certificates.Install of", addCertificate)},
		take: func(finding) []step {
			return []step{edit("take it out of policies.Certificates.Install of", s.dropPolicy(file)), removing(certificate)}
		},
		undo: "as the administrator: take " + certificate + " out of policies.Certificates.Install of " + file + ", and remove it",
		note: "takes effect at the program's next start; the program copies the certificate into its profiles, where the store " + NSS + " finds it",
	}
}

// dropPolicy takes a certificate out of a file, and with it a file that says nothing any more but said something before the installation: whoever had
// policies there then, such as the guard's own settings, has taken them away.
func (s *Stores) dropPolicy(file string) func([]byte, string) ([]byte, error) {
	return func(text []byte, certificate string) ([]byte, error) {
		left, err := dropCertificate(text, certificate)
		if err != nil || !saysNothing(left) {
			return left, err
		}
		if rec, err := s.journal.read(Policies, file); err == nil && rec != nil && !rec.Vacant {
			return nil, nil
		}
		return left, nil
	}
}

// editFile changes a policies file, which may be absent, before as after.
func editFile(file, certificate string, change func([]byte, string) ([]byte, error)) error {
	text, err := readFile(file)
	if err != nil {
		return err
	}
	changed, err := change(text, certificate)
	if err != nil {
		return fmt.Errorf("reading %q: %w: it is left alone, correct it first", file, err)
	}
	switch {
	case changed == nil:
		return removeFile(file)
	case bytes.Equal(changed, text):
		return nil
	}
	return replaceFile(file, changed)
}

func (s *Stores) findPolicy(file, certificate string) (finding, error) {
	text, err := readFile(file)
	if err != nil {
		return finding{}, err
	}
	if text == nil {
		return finding{leftover: exists(certificate), how: "there is no " + file}, nil
	}
	inList, err := listsCertificate(text, certificate)
	if err != nil {
		return finding{}, fmt.Errorf("reading %q: %w: it is left alone, correct it first", file, err)
	}
	root, err := readFile(certificate)
	if err != nil {
		return finding{}, err
	}
	switch {
	case !inList:
		return finding{leftover: root != nil, how: "not in policies.Certificates.Install"}, nil
	case !s.isRoot(root):
		return finding{leftover: true, how: "the policies name " + certificate + ", which does not hold the root"}, nil
	}
	return finding{present: true, how: joinNotes("listed in policies.Certificates.Install", readBack(certificate))}, nil
}
