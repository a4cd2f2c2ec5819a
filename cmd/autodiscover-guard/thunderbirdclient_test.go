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

// thunderbirdClient is a program for scripts: the real Thunderbird, without a window, asks for a URL through a proxy with the very function that its
// account set-up uses. It prints "verified" and the HTTP status, or "refused" and the error code of Thunderbird's network library, in which 805a1ff3
// is SEC_ERROR_UNKNOWN_ISSUER. It asks again for as long as the certificate is refused, up to the number of times that is given, because
// Thunderbird imports the certificates of its policies while it starts.
//
//	thunderbird-client PROFILE PROXY URL TIMES
func thunderbirdClient() {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	profile, proxy, target := os.Args[1], os.Args[2], os.Args[3]
	times, err := strconv.Atoi(os.Args[4])
	must(err)
	host, port, err := net.SplitHostPort(proxy)
	must(err)
	prefs := fmt.Sprintf(`user_pref("network.proxy.type", 1);
user_pref("network.proxy.ssl", %q);
user_pref("network.proxy.ssl_port", %s);
user_pref("network.proxy.allow_hijacking_localhost", true);
user_pref("marionette.port", 0);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
`, host, port)
	must(os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs), 0o600))
	var answer string
	must(inThunderbird(ctx, profile, true, func(m *marionette) error {
		return m.run(fetch, &answer, target, times)
	}))
	fmt.Println(answer)
	if !strings.HasPrefix(answer, "verified") {
		os.Exit(1)
	}
}

// fetch runs inside Thunderbird.
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
