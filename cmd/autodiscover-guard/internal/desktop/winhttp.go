package desktop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// WinHTTP is what Windows services use, for the whole computer. Only "netsh winhttp set advproxy", of Windows 11 and Server 2022, gives it the address of a
// PAC; the older "set proxy" would send everything through the guard, so there the place counts as absent.
const winhttpSettings = "settings"

// advproxy are the settings that netsh takes and shows (learn.microsoft.com, "Netsh.exe commands", WinHTTP).
type advproxy struct {
	Proxy         string `json:"Proxy"`
	ProxyBypass   string `json:"ProxyBypass"`
	AutoconfigURL string `json:"AutoconfigUrl"`
	AutoDetect    bool   `json:"AutoDetect"`
}

type winhttp struct {
	run      Runner
	disk     disk
	mayWrite bool
}

func (winhttp) id() ID { return ID{"winhttp", kindWinHTTP, "machine"} }

func (w winhttp) absent(ctx context.Context) string {
	if !w.mayWrite {
		return "it belongs to the computer: run it as an administrator"
	}
	if _, err := w.read(ctx); err != nil {
		return "this Windows gives WinHTTP no PAC (netsh winhttp show advproxy)"
	}
	return ""
}

func (winhttp) wanted(t Target) Values {
	return Values{winhttpSettings: set(advproxy{AutoconfigURL: t.PAC}.text())}
}

func (winhttp) displaced(before Values) string {
	if v := before[winhttpSettings]; v.Text != (advproxy{}).text() {
		return "the settings " + v.String()
	}
	return ""
}

func (a advproxy) text() string {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // a bypass list has "<local>" in it
	if e.Encode(a) != nil {
		return "" // strings and a bool always encode
	}
	return strings.TrimSpace(text.String())
}

// read takes the JSON object out of what is printed around it, which is translated.
func (w winhttp) read(ctx context.Context) (Snapshot, error) {
	out, err := w.run.Run(ctx, "netsh", "winhttp", "show", "advproxy", "setting-scope=machine")
	if err != nil {
		return Snapshot{}, err
	}
	begin, end := strings.IndexByte(out, '{'), strings.LastIndexByte(out, '}')
	if begin < 0 || end < begin {
		return Snapshot{}, errors.New("netsh winhttp show advproxy: no JSON in its answer")
	}
	var a advproxy
	if err := json.Unmarshal([]byte(out[begin:end+1]), &a); err != nil {
		return Snapshot{}, fmt.Errorf("netsh winhttp show advproxy: %w", err)
	}
	a.AutoconfigURL = strings.TrimSpace(a.AutoconfigURL) // an empty one is shown as a space
	return Snapshot{Values: Values{winhttpSettings: set(a.text())}}, nil
}

func (winhttp) plan(_ context.Context, now Snapshot, values Values) (Snapshot, error) {
	return overlay(now, values), nil
}

func (w winhttp) write(ctx context.Context, now, then Snapshot) error {
	v := then.Values[winhttpSettings]
	if v == now.Values[winhttpSettings] {
		return nil
	}
	w.disk.step("netsh winhttp set advproxy")
	_, err := w.run.Run(ctx, "netsh", "winhttp", "set", "advproxy", "setting-scope=machine", "settings="+v.Text)
	return err
}
