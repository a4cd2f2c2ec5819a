package truststore

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

// Keystores of Java runtimes, changed by keytool, because their format is the runtime's business (JKS, PKCS #12).

// javaPassword is the password of every keystore that comes with a runtime: it protects nothing, and is documented (keytool(1), "cacerts").
const javaPassword = "changeit"

// jks begins a keystore of the older format, which is what Java 8 and Debian have. Certificates lie in it as they are, whatever its password is, so
// that no runtime has to start, for a second, to say that the root is not there.
var jks = []byte{0xfe, 0xed, 0xfe, 0xed}

// javaHomes are patterns of where runtimes are; the first list is below the system's root, the second below the home directory.
var javaHomes = map[string][2][]string{
	"linux": {
		{"usr/lib/jvm/*", "usr/lib64/jvm/*", "usr/java/*", "opt/java/*", "opt/jdk*", "opt/jre*"},
		{".sdkman/candidates/java/*", ".jdks/*", ".local/share/mise/installs/java/*", ".asdf/installs/java/*"},
	},
	"darwin": {
		{"Library/Java/JavaVirtualMachines/*/Contents/Home", "opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home"},
		{".sdkman/candidates/java/*", "Library/Java/JavaVirtualMachines/*/Contents/Home"},
	},
	"windows": {
		{"Program Files/Java/*", "Program Files/Eclipse Adoptium/*", "Program Files/Microsoft/jdk*", "Program Files/Amazon Corretto/*", "Program Files/Zulu/*"},
		{".jdks/*"},
	},
}

// keystores are below a runtime's home. jssecacerts, where it exists, is read in the place of cacerts (JSSE Reference Guide, "Default
// Trust Store"); the second of each is that of Java 8.
var keystores = []string{"lib/security/cacerts", "jre/lib/security/cacerts", "lib/security/jssecacerts", "jre/lib/security/jssecacerts"}

// javaRuntimes are the homes of all runtimes.
func (s *Stores) javaRuntimes() []string {
	var homes []string
	if home := s.Getenv("JAVA_HOME"); filepath.IsAbs(home) {
		homes = append(homes, home)
	}
	for _, pattern := range javaHomes[s.system][0] {
		homes = append(homes, s.globSystem(pattern)...)
	}
	return append(homes, s.globHome(javaHomes[s.system][1])...)
}

// javaPlaces are the keystores of all runtimes, each once, as several runtimes share the system's.
func (s *Stores) javaPlaces(context.Context) []place {
	homes := s.javaRuntimes()
	var files []string
	add := func(file string) {
		file = resolved(file)
		if exists(file) && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, home := range homes {
		for _, k := range keystores {
			add(filepath.Join(home, filepath.FromSlash(k)))
		}
	}
	for _, file := range s.recorded(Java) {
		add(file)
	}
	if given, ok := s.Places[Java]; ok {
		files = given
	}
	all := make([]place, 0, len(files))
	for _, f := range files {
		all = append(all, s.javaPlace(f, s.keytool(homes)))
	}
	return all
}

// globSystem are the existing paths that a pattern below the system's root means; on Windows that is the drive with the programs.
func (s *Stores) globSystem(pattern string) []string {
	root := s.under("/")
	if s.system == "windows" && s.prefix == "" {
		root = filepath.VolumeName(s.Getenv("ProgramFiles")) + `\`
	}
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil {
		return nil
	}
	return names
}

// keytool is the program of the first runtime that has it, or whatever is in the PATH.
func (s *Stores) keytool(homes []string) string {
	for _, home := range homes {
		for _, name := range []string{"bin/keytool", "bin/keytool.exe"} {
			if path := filepath.Join(home, filepath.FromSlash(name)); exists(path) {
				return path
			}
		}
	}
	return "keytool"
}

// keytoolArgs are the arguments of keytool for a keystore. The language is fixed because its list is read.
func keytoolArgs(file, verb string, more ...string) []string {
	return append([]string{verb, "-keystore", file, "-storepass", javaPassword, "-J-Duser.language=en"}, more...)
}

func (s *Stores) javaPlace(file, keytool string) place {
	args := func(verb string, more ...string) []string { return keytoolArgs(file, verb, more...) }
	p := place{
		store: Java, program: "Java", path: file, files: []string{file}, admin: !writable(file),
		find: func(ctx context.Context) (finding, error) {
			if text, err := readFile(file); err == nil && bytes.HasPrefix(text, jks) && !bytes.Contains(text, s.Root.Raw) {
				return finding{how: "not among the certificates of the keystore"}, nil
			}
			list, err := s.Run(ctx, Command{keytool, args("-list", "-rfc")})
			if err == nil {
				return s.findJava(list), nil
			}
			if better := s.otherPassword(err); better != "" {
				err = errors.New(better)
			}
			return finding{}, err
		},
		put: []step{s.running(keytool, args("-importcert", "-noprompt", "-alias", s.name, "-file", s.RootFile)...)},
		take: func(f finding) []step {
			if f.alias == "" {
				return nil
			}
			return []step{s.running(keytool, args("-delete", "-alias", f.alias)...)}
		},
		undo: Command{keytool, []string{"-delete", "-keystore", file, "-storepass", javaPassword, "-alias", s.name}}.String(),
		note: "Java programs that run see it after a restart",

		explain: s.otherPassword,
	}
	if !exists(file) {
		p.skip = "there is no keystore"
	} else if p.admin && s.Admin {
		p.skip = "the keystore cannot be written"
	}
	return p
}

// otherPassword says what to do where that is what keytool complained about, and nothing else.
func (s *Stores) otherPassword(err error) string {
	if !strings.Contains(err.Error(), "password was incorrect") {
		return ""
	}
	return "the keystore has another password than " + javaPassword + ": import " + s.RootFile + " with keytool by hand"
}

// findJava reads the answer of "keytool -list -rfc": a line with the alias, then the certificate.
func (s *Stores) findJava(list []byte) finding {
	const aliasLine = "Alias name: "
	for {
		block, rest := pem.Decode(list)
		if block == nil {
			return finding{how: "not in the list of keytool -list"}
		}
		if bytes.Equal(block.Bytes, s.Root.Raw) {
			before := string(list[:len(list)-len(rest)])
			alias := before[strings.LastIndex(before, aliasLine)+len(aliasLine):]
			alias, _, _ = strings.Cut(alias, "\n")
			return finding{present: true, alias: strings.TrimSpace(alias), how: readBack("keytool -list")}
		}
		list = rest
	}
}
