package truststore

import (
	"bytes"
	"context"
	"errors"
	"strings"
)

// The system stores of Linux: a directory of anchors, and a program that makes everything else of it.

// linuxStore is how one family of distributions keeps its anchors.
type linuxStore struct {
	family  string
	anchors string // directory; that it exists is how the family is recognised
	suffix  string
	update  Command
	fresh   Command // after taking out, where that is another one
	bundle  string  // what programs read in the end
	hashed  string  // a directory of links that OpenSSL looks up, if there is one
	java    string  // the keystore that the update fills, too
	// javaAlias begins the name that a certificate has in there, for an update that does not take it out again; "" for one that does.
	javaAlias string
}

// linuxStores are in the order of looking: Fedora's and Arch's directories are nobody else's; SUSE has /etc/ssl/certs like Debian.
var linuxStores = []linuxStore{
	{
		// update-ca-trust(8)
		family: "Fedora, RHEL", anchors: "/etc/pki/ca-trust/source/anchors", suffix: ".pem", update: Command{Name: "update-ca-trust", Args: []string{"extract"}},
		bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", java: "/etc/pki/ca-trust/extracted/java/cacerts",
	},
	{
		// Arch's package ca-certificates-utils; update-ca-trust(8) there
		family: "Arch", anchors: "/etc/ca-certificates/trust-source/anchors", suffix: ".crt", update: Command{Name: "update-ca-trust"},
		bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem", java: "/etc/ca-certificates/extracted/java-cacerts.jks",
	},
	{
		// SUSE's package ca-certificates; update-ca-certificates(8) there
		family: "SUSE", anchors: "/etc/pki/trust/anchors", suffix: ".pem", update: Command{Name: "update-ca-certificates"},
		bundle: "/var/lib/ca-certificates/ca-bundle.pem", java: "/var/lib/ca-certificates/java-cacerts",
	},
	{
		// Debian's package ca-certificates; update-ca-certificates(8) there. Without --fresh, what was taken out leaves its links behind. The hook that
		// fills Java's keystore does not hear of it either way (ca-certificates 20230311: links are cleared before they are counted as removed).
		family: "Debian, Ubuntu", anchors: "/usr/local/share/ca-certificates", suffix: ".crt", update: Command{Name: "update-ca-certificates"}, fresh: Command{Name: "update-ca-certificates", Args: []string{"--fresh"}},
		bundle: "/etc/ssl/certs/ca-certificates.crt", hashed: "/etc/ssl/certs", java: "/etc/ssl/certs/java/cacerts", javaAlias: "debian:",
	},
}

// systemPlaces is the store that belongs to the whole computer.
func (s *Stores) systemPlaces(context.Context) []place {
	switch s.system {
	case "darwin":
		return []place{s.keychain(System)}
	case "windows":
		return []place{s.windowsStore(System)}
	case "linux":
		for _, l := range linuxStores {
			if exists(s.under(l.anchors)) {
				return []place{s.linuxPlace(l)}
			}
		}
		return []place{{
			store: System, program: s.system, path: s.under("/etc/ssl"),
			skip: "no system store of Debian, Fedora, Arch or SUSE was found: is the package ca-certificates installed?",
		}}
	}
	return []place{{store: System, program: s.system, path: "system", skip: "the system store of " + s.system + " is not known to this program"}}
}

func (s *Stores) linuxPlace(l linuxStore) place {
	anchor, bundle := s.under(l.anchors+"/"+s.name+l.suffix), s.under(l.bundle)
	fresh := l.fresh
	if fresh.Name == "" {
		fresh = l.update
	}
	var trees []string
	if l.hashed != "" {
		trees = []string{s.under(l.hashed)}
	}
	return place{
		store: System, program: l.family, path: s.under(l.anchors), admin: true,
		files: []string{anchor, bundle, s.under(l.java)}, trees: trees,
		find: func(ctx context.Context) (finding, error) { return s.findLinux(ctx, l, anchor, bundle) },
		put:  []step{writing(anchor, s.rootPEM()), s.running(l.update.Name, l.update.Args...)},
		take: func(f finding) []step {
			if f.alias != "" { // all but Java's keystore has forgotten it
				return []step{s.running(s.keytool(s.javaRuntimes()), keytoolArgs(s.under(l.java), "-delete", "-alias", f.alias)...)}
			}
			return []step{removing(anchor), s.running(fresh.Name, fresh.Args...)}
		},
		undo: "as root: " + Command{Name: "rm", Args: []string{"-f", anchor}}.String() + " && " + fresh.String(), programFirst: true,
		note: "programs that run keep what they have read: restart them",
	}
}

func (s *Stores) findLinux(ctx context.Context, l linuxStore, anchor, bundle string) (finding, error) {
	inBundle, err := readFile(bundle)
	if err != nil {
		return finding{}, err
	}
	f := finding{present: s.isRoot(inBundle), leftover: exists(anchor), how: "not in " + bundle}
	if !f.present {
		if f.leftover {
			f.how = anchor + " is there, but the root is not in " + bundle
			return f, nil
		}
		return s.findInJava(f, l)
	}
	f.how = readBack(bundle)
	if l.hashed == "" {
		return f, nil
	}
	// The way of programs that read single certificates instead of the bundle.
	said, err := s.run(ctx, Command{"openssl", []string{"verify", "-no-CAfile", "-no-CAstore", "-CApath", s.under(l.hashed), s.RootFile}})
	_, missing := errors.AsType[*MissingError](err)
	_, refused := errors.AsType[*RunError](err)
	switch {
	case missing:
		return f, nil
	case refused || err == nil && !strings.Contains(string(said), ": OK"):
		return finding{leftover: true, how: "in " + bundle + ", but openssl does not find it in " + s.under(l.hashed)}, nil
	}
	f.how = joinNotes(f.how, "openssl verify finds it in "+s.under(l.hashed))
	return f, err
}

// findInJava looks for the root where an update has put it and none takes it out. A name lies in a keystore as it is (JKS, which is Debian's), so that no runtime
// has to start for that. What another command put there has another name, and is the store Java's.
func (s *Stores) findInJava(f finding, l linuxStore) (finding, error) {
	if l.javaAlias == "" {
		return f, nil
	}
	keystore, err := readFile(s.under(l.java))
	if alias := l.javaAlias + s.name + ".pem"; bytes.Contains(keystore, []byte(alias)) {
		f.leftover, f.alias, f.how = true, alias, joinNotes(f.how, "but still in "+s.under(l.java)+" as "+alias)
	}
	return f, err
}
