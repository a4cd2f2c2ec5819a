package desktop

import (
	"context"
	"strings"
)

// WinINET is what Windows programs with a user use, Outlook among them; Firefox and Thunderbird follow it under their default. The
// address of the PAC is a value of the user's registry.
const (
	wininetKey   = `HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings`
	wininetValue = "AutoConfigURL"
)

type wininet struct {
	run  Runner
	disk disk
}

func (wininet) id() ID { return ID{"wininet", kindWinINET, wininetKey} }

func (wininet) absent(context.Context) string { return "" }

// wanted holds the registry's type as well, because a value comes back with the type that it had.
func (wininet) wanted(t Target) Values { return Values{wininetValue: set("REG_SZ " + t.PAC)} }

func (wininet) displaced(before Values) string {
	if v := before[wininetValue]; v.Set {
		return "the PAC " + v.String()
	}
	return ""
}

// read lists the whole key: asking for one value fails in the same way whether it is not set or cannot be read.
func (w wininet) read(ctx context.Context) (Snapshot, error) {
	out, err := w.run.Run(ctx, "reg", "query", wininetKey)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{Values: Values{wininetValue: registryValue(out, wininetValue)}}, nil
}

// registryValue finds a value in what "reg query" prints: four spaces, name, four spaces, type, four spaces, data.
func registryValue(out, name string) Value {
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		if rest, found := strings.CutPrefix(line, "    "+name+"    "); found {
			kind, data, _ := strings.Cut(rest, "    ")
			return set(kind + " " + data)
		}
	}
	return Value{}
}

func (wininet) plan(_ context.Context, now Snapshot, values Values) (Snapshot, error) {
	return overlay(now, values), nil
}

func (w wininet) write(ctx context.Context, now, then Snapshot) error {
	v := then.Values[wininetValue]
	if v == now.Values[wininetValue] {
		return nil
	}
	args := []string{"delete", wininetKey, "/v", wininetValue, "/f"}
	if v.Set {
		kind, data, _ := strings.Cut(v.Text, " ")
		args = []string{"add", wininetKey, "/v", wininetValue, "/t", kind, "/d", data, "/f"}
	}
	w.disk.step("reg " + args[0] + " " + wininetValue)
	if _, err := w.run.Run(ctx, "reg", args...); err != nil {
		return err
	}
	notifyWinINET()
	return nil
}
