package desktop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recorded is a system of whose programs only the command lines and the answers are known.
type recorded struct {
	t       *testing.T
	answers map[string]string
	lines   []string
}

func (*recorded) Has(string) bool { return true }

func (r *recorded) Run(_ context.Context, name string, args ...string) (string, error) {
	line := name + " " + fmt.Sprintf("%q", args)
	answer, known := r.answers[line]
	if !known {
		r.t.Errorf("not recorded: %s", line)
		return "", errors.New("not recorded")
	}
	if !slices.Contains([]string{"query", "show"}, args[0]) && !strings.Contains(line, `"show"`) && !strings.HasPrefix(args[0], "-get") && !strings.HasPrefix(args[0], "-list") {
		r.lines = append(r.lines, line)
	}
	// What a command changes shows in the answer that it names, after an arrow.
	if asked, now, changes := strings.Cut(answer, " => "); changes {
		r.answers[asked], answer = now, ""
	}
	return answer, nil
}

func (r *recorded) desktop(os, state string) *Desktop {
	return New(Config{State: state, System: System{
		OS: os, Root: state + "/root", Home: state + "/home", Run: r,
		Getenv: func(string) string { return "" }, MayWrite: func(string) bool { return true }, InUse: func(string) bool { return false },
	}})
}

func (r *recorded) want(lines ...string) {
	r.t.Helper()
	if !slices.Equal(r.lines, lines) {
		r.t.Errorf("ran:\n  %s\nwant:\n  %s", strings.Join(r.lines, "\n  "), strings.Join(lines, "\n  "))
	}
	r.lines = nil
}

// onAndOff plays both and compares the command lines that change something.
func (r *recorded) onAndOff(system, only string, onLines, offLines []string) {
	r.t.Helper()
	state := r.t.TempDir()
	results, err := r.desktop(system, state).On(r.t.Context(), guard, Options{Only: []string{only}})
	must(r.t, err)
	allGood(r.t, results)
	r.want(onLines...)
	results, err = r.desktop(system, state).Off(r.t.Context(), Options{})
	must(r.t, err)
	allGood(r.t, results)
	r.want(offLines...)
}

func TestMacOS_recorded(t *testing.T) {
	t.Parallel()
	const list = `networksetup ["-listallnetworkservices"]`
	const getWiFi, getLAN = `networksetup ["-getautoproxyurl" "Wi-Fi"]`, `networksetup ["-getautoproxyurl" "USB 10/100 LAN"]`
	r := &recorded{t: t, answers: map[string]string{
		list:    "An asterisk (*) denotes that a network service is disabled.\nWi-Fi\nUSB 10/100 LAN\n*Bluetooth PAN\n",
		getWiFi: "URL: (null)\nEnabled: No\n",
		getLAN:  "URL: http://corp.example/a.pac\nEnabled: No\n",
		`networksetup ["-setautoproxyurl" "Wi-Fi" "http://127.0.0.1:8081/proxy.pac"]`:          getWiFi + " => URL: http://127.0.0.1:8081/proxy.pac\nEnabled: Yes\n",
		`networksetup ["-setautoproxystate" "Wi-Fi" "on"]`:                                     "",
		`networksetup ["-setautoproxyurl" "USB 10/100 LAN" "http://127.0.0.1:8081/proxy.pac"]`: getLAN + " => URL: http://127.0.0.1:8081/proxy.pac\nEnabled: Yes\n",
		`networksetup ["-setautoproxystate" "USB 10/100 LAN" "on"]`:                            list + " => *\nWi-Fi\n*USB 10/100 LAN\n", // it comes back all the same
		`networksetup ["-setautoproxyurl" "Wi-Fi" ""]`:                                         "",
		`networksetup ["-setautoproxystate" "Wi-Fi" "off"]`:                                    getWiFi + " => URL: (null)\nEnabled: No\n",
		`networksetup ["-setautoproxyurl" "USB 10/100 LAN" "http://corp.example/a.pac"]`:       "",
		`networksetup ["-setautoproxystate" "USB 10/100 LAN" "off"]`:                           getLAN + " => URL: http://corp.example/a.pac\nEnabled: No\n",
	}}
	r.onAndOff("darwin", "macos", []string{
		`networksetup ["-setautoproxyurl" "Wi-Fi" "http://127.0.0.1:8081/proxy.pac"]`, `networksetup ["-setautoproxystate" "Wi-Fi" "on"]`,
		`networksetup ["-setautoproxyurl" "USB 10/100 LAN" "http://127.0.0.1:8081/proxy.pac"]`, `networksetup ["-setautoproxystate" "USB 10/100 LAN" "on"]`,
	}, []string{
		`networksetup ["-setautoproxyurl" "USB 10/100 LAN" "http://corp.example/a.pac"]`, `networksetup ["-setautoproxystate" "USB 10/100 LAN" "off"]`,
		`networksetup ["-setautoproxyurl" "Wi-Fi" ""]`, `networksetup ["-setautoproxystate" "Wi-Fi" "off"]`,
	})
}

func TestWinINET_recorded(t *testing.T) {
	t.Parallel()
	const query = `reg ["query" "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"]`
	const add = `reg ["add" "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings" "/v" "AutoConfigURL" "/t" `
	const remove = `reg ["delete" "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings" "/v" "AutoConfigURL" "/f"]`
	const head = "\r\nHKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\r\n    ProxyEnable    REG_DWORD    0x0\r\n"
	for before, back := range map[string]string{
		head: remove,
		head + "    AutoConfigURL    REG_EXPAND_SZ    http://corp.example/a b.pac\r\n": add + `"REG_EXPAND_SZ" "/d" "http://corp.example/a b.pac" "/f"]`,
	} {
		set := add + `"REG_SZ" "/d" "http://127.0.0.1:8081/proxy.pac" "/f"]`
		r := &recorded{t: t, answers: map[string]string{
			query: before,
			set:   query + " => " + head + "    AutoConfigURL    REG_SZ    http://127.0.0.1:8081/proxy.pac\r\n",
			back:  query + " => " + before,
		}}
		r.onAndOff("windows", "wininet", []string{set}, []string{back})
	}
}

func TestWinHTTP_recorded(t *testing.T) {
	t.Parallel()
	const show = `netsh ["winhttp" "show" "advproxy" "setting-scope=machine"]`
	const before = "\r\nAktuelle WinHTTP-Proxyeinstellungen:\r\n\r\n{\r\n\t\"ProxyIsEnabled\":\tfalse,\r\n\t\"Proxy\":\t\"\",\r\n\t\"ProxyBypass\":\t\"<local>\",\r\n\t\"AutoConfigIsEnabled\":\tfalse,\r\n\t\"AutoconfigUrl\":\t\" \",\r\n\t\"AutoDetect\":\ttrue\r\n}\r\n"
	command := func(bypass, pac string, detect bool) string {
		return `netsh ["winhttp" "set" "advproxy" "setting-scope=machine" ` +
			fmt.Sprintf("%q", fmt.Sprintf("settings={\"Proxy\":\"\",\"ProxyBypass\":%q,\"AutoconfigUrl\":%q,\"AutoDetect\":%v}", bypass, pac, detect)) + "]"
	}
	set, back := command("", guard.PAC, false), command("<local>", "", true)
	r := &recorded{t: t, answers: map[string]string{
		show: before,
		set:  show + " => {\"Proxy\":\"\",\"ProxyBypass\":\"\",\"AutoconfigUrl\":\"http://127.0.0.1:8081/proxy.pac\",\"AutoDetect\":false}",
		back: show + " => " + before,
	}}
	r.onAndOff("windows", "winhttp", []string{set}, []string{back})
	old := &recorded{t: t, answers: map[string]string{show: "The following command was not found: winhttp show advproxy.\r\n"}}
	old.onAndOff("windows", "winhttp", nil, nil)
}
