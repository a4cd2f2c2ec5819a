package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
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
	_ = os.Remove(filepath.Join(profile, "MarionetteActivePort"))
	cmd := exec.CommandContext(ctx, "thunderbird", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", profile)
	cmd.Env = append(os.Environ(), "MOZ_HEADLESS=1", "MOZ_DISABLE_CONTENT_SANDBOX=1")
	must(cmd.Start())
	answer, err := askThunderbird(ctx, profile, target, times)
	if err != nil {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait() // it was asked to quit, which ends with whatever code
	must(err)
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

// askThunderbird speaks the Marionette protocol: messages are JSON arrays, each after its length and a colon.
func askThunderbird(ctx context.Context, profile, target string, times int) (string, error) {
	port, err := waitForFile(ctx, filepath.Join(profile, "MarionetteActivePort"))
	if err != nil {
		return "", err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	m := &marionette{conn: conn, reader: bufio.NewReader(conn)}
	if _, err := m.receive(); err != nil { // who it is
		return "", err
	}
	if _, err := m.call("WebDriver:NewSession", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"timeouts": map[string]int{"script": 90000}}}}); err != nil {
		return "", err
	}
	if _, err := m.call("Marionette:SetContext", map[string]any{"value": "chrome"}); err != nil {
		return "", err
	}
	answer, err := m.call("WebDriver:ExecuteAsyncScript", map[string]any{"script": fetch, "args": []any{target, times}})
	if err != nil {
		return "", err
	}
	var value struct{ Value string }
	if err := json.Unmarshal(answer, &value); err != nil {
		return "", err
	}
	// In peace, so that what it has imported is in its database.
	_, err = m.call("Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}})
	return value.Value, err
}

func waitForFile(ctx context.Context, name string) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(name); err == nil && len(text) > 0 {
			return strings.TrimSpace(string(text)), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s does not appear: %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}

type marionette struct {
	conn   net.Conn
	reader *bufio.Reader
	calls  int
}

func (m *marionette) receive() ([]byte, error) {
	length, err := m.reader.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(m.reader, text)
	return text, err
}

func (m *marionette) call(command string, parameters any) (json.RawMessage, error) {
	m.calls++
	text, err := json.Marshal([]any{0, m.calls, command, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(text), text); err != nil {
		return nil, err
	}
	if text, err = m.receive(); err != nil {
		return nil, err
	}
	var answer [4]json.RawMessage
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	if string(answer[2]) != "null" {
		return nil, fmt.Errorf("%s: %s", command, answer[2])
	}
	return answer[3], nil
}
