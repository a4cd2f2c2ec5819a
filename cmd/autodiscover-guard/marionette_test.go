package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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

// inMozilla starts the real Thunderbird or Firefox with a profile whose user.js sets marionette.port to 0, hands over a connection with the rights of
// the program's own code, and waits for its end.
func inMozilla(ctx context.Context, program, profile string, headless bool, use func(*marionette) error) error {
	portFile := filepath.Join(profile, "MarionetteActivePort")
	_ = os.Remove(portFile)
	cmd := exec.CommandContext(ctx, program, "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", profile)
	cmd.Env = append(os.Environ(), "MOZ_DISABLE_CONTENT_SANDBOX=1")
	if headless {
		cmd.Env = append(cmd.Env, "MOZ_HEADLESS=1")
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err := withMarionette(ctx, portFile, use)
	if err != nil {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait() // it was asked to quit, which ends with whatever code
	return err
}

func withMarionette(ctx context.Context, portFile string, use func(*marionette) error) error {
	port, err := waitForFile(ctx, portFile)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	m := &marionette{conn: conn, reader: bufio.NewReader(conn)}
	if _, err := m.receive(); err != nil { // who it is
		return err
	}
	if _, err := m.call("WebDriver:NewSession", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"timeouts": map[string]int{"script": 90000}}}}); err != nil {
		return err
	}
	if _, err := m.call("Marionette:SetContext", map[string]any{"value": "chrome"}); err != nil {
		return err
	}
	err = use(m)
	// In peace, so that what it has imported is in its database.
	_, quit := m.call("Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}})
	return errors.Join(err, quit)
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

// marionette speaks the Marionette protocol: messages are JSON arrays, each after its length and a colon.
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

// run executes a script inside the program, whose last argument is the function that takes its result.
func (m *marionette) run(script string, result any, args ...any) error {
	answer, err := m.call("WebDriver:ExecuteAsyncScript", map[string]any{"script": script, "args": args, "sandbox": "system", "newSandbox": true})
	if err != nil {
		return err
	}
	var value struct{ Value json.RawMessage }
	if err := json.Unmarshal(answer, &value); err != nil {
		return err
	}
	return json.Unmarshal(value.Value, result)
}
