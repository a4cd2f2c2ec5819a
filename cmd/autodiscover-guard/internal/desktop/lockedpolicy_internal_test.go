package desktop

import (
	"strings"
	"testing"
)

// A locked policy goes before what a profile has: of a profile that is written to in vain nobody is to read that it is on. A package that does not read the computer's policies is not kept
// from it.
func TestOn_lockedPolicy(t *testing.T) {
	t.Parallel()
	for policy, locked := range map[string]bool{
		`{"policies":{"Proxy":{"Mode":"manual","HTTPProxy":"proxy.corp.example:3128","Locked":true}}}`:                 true,
		`{"policies":{"Proxy":{"Mode":"autoConfig","AutoConfigURL":"http://corp.example/a.pac","Locked":true}}}`:       true,
		`{"policies":{"Proxy":{"Mode":"autoConfig","AutoConfigURL":"http://127.0.0.1:8081/proxy.pac","Locked":true}}}`: false,
		`{"policies":{"Proxy":{"Mode":"manual","HTTPProxy":"proxy.corp.example:3128"}}}`:                               false,
		`{"policies":{"Proxy":{"Locked":1}}}`: false, // which the program does not take
		`{"policies":{}}`:                     false,
		`{`:                                   false,
	} {
		w := newWorld(t)
		w.write(t, "root/etc/thunderbird/policies/policies.json", policy)
		w.write(t, "home/snap/thunderbird/common/.thunderbird/profiles.ini", "[Profile0]\nPath=a\n")
		w.write(t, "home/snap/thunderbird/common/.thunderbird/a/prefs.js", "")
		before := w.tree(t)
		d := w.desktop()
		d.config.System.MayWrite = func(string) bool { return false }
		results, err := d.On(t.Context(), guard, Options{Only: []string{"thunderbird"}})
		must(t, err)
		for _, r := range results {
			want := On
			if locked && !strings.Contains(r.Where, "snap") {
				want = Failed
			}
			if r.State != want || want == Failed && r.Note != "left as it is: the policy Proxy in "+w.path("root/etc/thunderbird/policies/policies.json")+" is locked" {
				t.Errorf("%s: got %+v", policy, r)
			}
		}
		if len(results) != 4 {
			t.Errorf("%s: got %+v", policy, results)
		}
		allGood(t, off(t, w, Options{}))
		w.same(t, before)
		if locked { // whoever may write the file unlocks it for as long
			allGood(t, on(t, w, Options{Only: []string{"thunderbird"}}))
			allGood(t, off(t, w, Options{}))
			w.same(t, before)
		}
	}
}
