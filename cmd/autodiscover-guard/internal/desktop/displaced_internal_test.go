package desktop

import (
	"strings"
	"testing"
)

// Only what is surely another guard's is left as it is: anybody may have a PAC, or a proxy on the same computer.
func TestOn_whoseProxy(t *testing.T) {
	t.Parallel()
	for pac, want := range map[string]string{
		"http://localhost:7777/proxy.pac": "left as it is: another guard's", "http://[::1]:7777/proxy.pac": "left as it is: another guard's",
		"http://proxy.corp.example/proxy.pac": "in the place of another proxy", "http://127.0.0.1:3128/wpad.dat": "in the place of another proxy",
	} {
		w := newWorld(t)
		w.write(t, "home/.config/kioslaverc", "[Proxy Settings]\nProxyType=2\nProxy Config Script="+pac+"\n")
		results, err := w.desktop().On(t.Context(), guard, Options{Only: []string{"kde"}})
		if err != nil || len(results) != 1 || !strings.HasPrefix(results[0].Note, want) {
			t.Errorf("%s: got %+v, %v; want %q", pac, results, err, want)
		}
	}
}
