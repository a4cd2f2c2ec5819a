package desktop

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
)

// environmentFile is read by systemd's user manager at log-in (environment.d(5)).
const environmentFile = "environment.d/60-autodiscover-guard.conf"

const environmentHead = "# Made by \"autodiscover-guard setup on --env\", and removed by \"autodiscover-guard setup off\".\n"

// environmentKeys are the variables, in the order of the file. HTTP_PROXY in capitals is not among them: a CGI program takes it from a
// request's Proxy field (CVE-2016-5385), so programs have learned to distrust it.
var environmentKeys = []string{"http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"}

// environment sends everything through the guard: variables know no PAC. Everything but discovery is tunnelled, but after a crash nothing
// gets through until the next log-in after "setup off", so it is put in place only where it is asked for.
func (d *Desktop) environment() place {
	s := d.config.System
	return file{
		where: ID{"environment", kindEnvironment, filepath.Join(s.configHome(), filepath.FromSlash(environmentFile))},
		codec: variables{}, disk: d.disk, mode: 0o600, dirMode: 0o700,
		want: func(t Target) Values {
			proxy, direct := set(t.Proxy), set("localhost,127.0.0.0/8,::1")
			return Values{"http_proxy": proxy, "https_proxy": proxy, "HTTPS_PROXY": proxy, "no_proxy": direct, "NO_PROXY": direct}
		},
	}
}

// variables is a file of NAME=VALUE lines.
type variables struct{}

func (variables) read(_ context.Context, data []byte) (Values, error) {
	values := Values{}
	for _, key := range environmentKeys {
		values[key] = Value{}
	}
	for line := range strings.Lines(string(data)) {
		name, text, found := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if _, ours := values[name]; found && ours {
			values[name] = set(text)
		}
	}
	return values, nil
}

func (variables) edit(_ context.Context, data []byte, values Values) ([]byte, error) {
	var out bytes.Buffer
	if len(data) == 0 {
		out.WriteString(environmentHead)
	}
	for line := range strings.Lines(string(data)) {
		name, _, _ := strings.Cut(line, "=")
		if _, ours := values[name]; !ours {
			out.WriteString(line)
		}
	}
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	for _, key := range environmentKeys {
		if v := values[key]; v.Set {
			out.WriteString(key + "=" + v.Text + "\n")
		}
	}
	return out.Bytes(), nil
}

func (variables) vacant(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}
