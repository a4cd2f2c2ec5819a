package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// mozillaClient is a program for scripts: the real Thunderbird or Firefox, without a window, asks for a URL with the very function that Thunderbird's
// account set-up uses, through a proxy ("-": as its policies and the system say). It prints "verified" and the HTTP status, or "refused" and the error
// code of its network library, in which 805a1ff3 is SEC_ERROR_UNKNOWN_ISSUER. It asks again for as long as it is refused, up to the number of times that
// is given, because it imports the certificates of its policies while it starts.
//
//	mozilla-client PROGRAM PROFILE PROXY URL TIMES
func mozillaClient() {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	program, profile, proxy, target := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	times, err := strconv.Atoi(os.Args[5])
	must(err)
	prefs := `user_pref("marionette.port", 0);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
`
	if proxy != "-" {
		host, port, err := net.SplitHostPort(proxy)
		must(err)
		prefs += fmt.Sprintf(`user_pref("network.proxy.type", 1);
user_pref("network.proxy.ssl", %q);
user_pref("network.proxy.ssl_port", %s);
user_pref("network.proxy.allow_hijacking_localhost", true);
`, host, port)
	}
	// What stands in user.js already may be what is tried.
	file := filepath.Join(profile, "user.js")
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), prefs) {
		must(os.WriteFile(file, append(text, prefs...), 0o600))
	}
	var answer string
	must(inMozilla(ctx, program, profile, true, func(m *marionette) error {
		return m.run(fetch, &answer, target, times)
	}))
	fmt.Println(answer)
	if !strings.HasPrefix(answer, "verified") {
		os.Exit(1)
	}
}

// fetch runs inside the program.
const fetch = `
const [target, times, done] = arguments;
let tries = 0;
function ask() {
  const request = new XMLHttpRequest({ mozAnon: true });
  request.open("GET", target, true);
  request.onload = () => done("verified " + request.status);
  request.onerror = () => {
    const status = request.channel.QueryInterface(Ci.nsIRequest).status >>> 0;
    if (++tries >= times) { done("refused " + status.toString(16)); } else { setTimeout(ask, 200); }
  };
  request.send();
}
ask();
`
