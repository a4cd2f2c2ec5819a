package truststore

import (
	"context"
	"crypto/sha1" //nolint:gosec // G505: both systems name certificates by their SHA-1; what is compared here is the certificate itself
	"errors"
	"fmt"
	"strings"
)

// The stores of macOS and Windows, through the programs that come with them: security(1) and certutil.exe. Both have one for the computer and
// one for the user.

// userPlaces is the store of one user. On Linux there is none: there, programs have databases of their own.
func (s *Stores) userPlaces(context.Context) []place {
	switch s.system {
	case "darwin":
		return []place{s.keychain(User)}
	case "windows":
		return []place{s.windowsStore(User)}
	}
	return nil
}

// sha1Hex is how both systems name a certificate.
func (s *Stores) sha1Hex() string {
	return fmt.Sprintf("%X", sha1.Sum(s.Root.Raw)) //nolint:gosec // G401: a name that the system's program understands
}

func (s *Stores) keychain(store string) place {
	path, domain, undo := s.Home+"/Library/Keychains/login.keychain-db", []string(nil), ""
	if store == System {
		path, domain, undo = "/Library/Keychains/System.keychain", []string{"-d"}, "as root: "
	}
	add := append(append([]string{"add-trusted-cert"}, domain...), "-r", "trustRoot", "-p", "ssl", "-k", path, s.RootFile)
	untrust := Command{"security", append(append([]string{"remove-trusted-cert"}, domain...), s.RootFile)}
	remove := Command{"security", []string{"delete-certificate", "-Z", s.sha1Hex(), path}}
	return place{
		store: store, program: "macOS keychain", path: path, admin: store == System,
		find: func(ctx context.Context) (finding, error) { return s.findKeychain(ctx, path) },
		put:  []step{s.running("security", add...)},
		take: func(f finding) []step {
			if !f.present { // it has no trust to take away, which remove-trusted-cert would call an error
				return []step{s.running(remove.Name, remove.Args...)}
			}
			return []step{s.running(untrust.Name, untrust.Args...), s.running(remove.Name, remove.Args...)}
		},
		undo: undo + untrust.String() + " && " + remove.String(), programFirst: true, // the keychain is a database of the system
		note: "macOS may ask for a password in a window of its own",
	}
}

func (s *Stores) findKeychain(ctx context.Context, path string) (finding, error) {
	text, err := s.Run(ctx, Command{"security", []string{"find-certificate", "-a", "-p", path}})
	if err != nil {
		return finding{}, err
	}
	if !s.isRoot(text) {
		return finding{how: "not among the certificates of " + path}, nil
	}
	_, err = s.run(ctx, Command{"security", []string{"verify-cert", "-L", "-l", "-p", "ssl", "-c", s.RootFile}})
	if refused, ok := errors.AsType[*RunError](err); ok {
		return finding{leftover: true, how: "it is in " + path + ", but not trusted: " + refused.Said}, nil
	}
	return finding{present: true, how: joinNotes(readBack(path), "security verify-cert trusts it")}, err
}

func (s *Stores) windowsStore(store string) place {
	path, scope, undo := `HKCU\Software\Microsoft\SystemCertificates\Root`, []string{"-user"}, ""
	if store == System {
		path, scope, undo = `HKLM\SOFTWARE\Microsoft\SystemCertificates\Root`, nil, "as administrator: "
	}
	command := func(words ...string) Command {
		return Command{"certutil.exe", append(append([]string{}, scope...), words...)}
	}
	add, remove := command("-addstore", "-f", "Root", s.RootFile), command("-delstore", "Root", s.sha1Hex())
	p := place{
		store: store, program: "Windows", path: path, admin: store == System,
		find: func(ctx context.Context) (finding, error) {
			return s.findWindows(ctx, command("-store", "Root", s.sha1Hex()))
		},
		put:  []step{s.running(add.Name, add.Args...)},
		take: func(finding) []step { return []step{s.running(remove.Name, remove.Args...)} },
		undo: undo + remove.String(), programFirst: true, // the registry
	}
	if store == User {
		p.note = "Windows asks in a window of its own, with the fingerprint of the certificate"
	}
	return p
}

// findWindows asks for the certificate by its hash: certutil ends with an error (CRYPT_E_NOT_FOUND) where there is none. What it prints is in the
// language of the system, but the hash is not.
func (s *Stores) findWindows(ctx context.Context, c Command) (finding, error) {
	text, err := s.Run(ctx, c)
	if _, ended := errors.AsType[*RunError](err); ended {
		return finding{how: "certutil.exe does not find it"}, nil
	}
	if err != nil {
		return finding{}, err
	}
	digits := strings.NewReplacer(" ", "", "\r", "").Replace(strings.ToUpper(string(text)))
	if !strings.Contains(digits, s.sha1Hex()) {
		return finding{how: "certutil.exe does not name it"}, nil
	}
	return finding{present: true, how: "certutil.exe names it by its hash"}, nil
}
