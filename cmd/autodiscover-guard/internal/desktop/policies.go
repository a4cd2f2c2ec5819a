package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// policyProxy is the policy that sets the proxy (github.com/thunderbird/policy-templates, "Proxy"), as a key of a place.
const policyProxy = "policies.Proxy"

// policies is a policies.json. The text around the policy stays as it is, byte for byte: others have policies there, and their undoing
// may compare bytes as well.
type policies struct{}

func wantedPolicy(t Target) Values {
	text, err := json.Marshal(struct {
		Mode, AutoConfigURL string
		Locked              bool
	}{"autoConfig", t.PAC, false})
	if err != nil {
		return nil // strings always marshal
	}
	return Values{policyProxy: canonical(text)}
}

// canonical is a value in the one form (RFC 8785) in which it compares equal after somebody else has written the file anew.
func canonical(text []byte) Value {
	v := jsontext.Value(text).Clone()
	if v.Canonicalize() != nil {
		return set(string(text)) // what cannot be brought into it compares as it is
	}
	return set(string(v))
}

func otherPolicy(before Values) string {
	if before[policyProxy].Set {
		return "the policy Proxy " + before[policyProxy].String()
	}
	return ""
}

// lockedFor says that a policy file holds a locked proxy, and another one than a profile is to have: it goes before what is set there.
func (f file) lockedFor(ctx context.Context, then Snapshot) string {
	if f.where.Where == "" {
		return ""
	}
	var locked struct {
		AutoConfigURL string
		Locked        bool
	}
	now, err := f.read(ctx)
	if err != nil || json.Unmarshal([]byte(now.Values[policyProxy].Text), &locked) != nil || !locked.Locked {
		return ""
	}
	if url, err := json.Marshal(locked.AutoConfigURL); err == nil && string(url) == then.Values[prefPAC].Text {
		return ""
	}
	return "the policy Proxy in " + f.where.Where + " is locked"
}

func (policies) read(_ context.Context, data []byte) (Values, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return Values{policyProxy: {}}, nil
	}
	f, err := findPolicies(data)
	if err != nil {
		return nil, err
	}
	v := Value{}
	if p := f.proxy; p != nil {
		v = canonical(data[p.value:p.end])
	}
	return Values{policyProxy: v}, nil
}

func (policies) edit(_ context.Context, data []byte, values Values) ([]byte, error) {
	v, asked := values[policyProxy]
	if !asked {
		return data, nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		data = []byte("{\n  \"policies\": {}\n}\n")
	}
	f, err := findPolicies(data)
	if err != nil {
		return nil, err
	}
	member := "\n    \"Proxy\": " + v.Text
	switch {
	case v.Set && f.proxy != nil:
		return splice(data, f.proxy.value, f.proxy.end, v.Text), nil
	case v.Set && f.policies == nil:
		return splice(data, f.top.open, f.top.open, "\n  \"policies\": {"+member+"\n  }"+comma(f.top)), nil
	case v.Set:
		end := comma(*f.policies)
		if end == "" {
			end = "\n  "
		}
		return splice(data, f.policies.open, f.policies.open, member+end), nil
	case f.proxy != nil:
		begin, end := f.proxy.begin, f.proxy.end
		if rest := bytes.TrimLeft(data[end:], " \t\r\n"); bytes.HasPrefix(rest, []byte(",")) {
			return splice(data, begin, len(data)-len(rest)+1, ""), nil
		}
		begin = len(bytes.TrimRight(data[:begin], " \t\r\n"))
		if begin > 0 && data[begin-1] == ',' {
			begin--
		}
		return splice(data, begin, end, ""), nil
	}
	return data, nil
}

func splice(data []byte, begin, end int, text string) []byte {
	return []byte(string(data[:begin]) + text + string(data[end:]))
}

// comma separates a first member from those that are there.
func comma(o object) string {
	if o.empty {
		return ""
	}
	return ","
}

func (policies) vacant(data []byte) bool {
	var all map[string]json.RawMessage
	if len(bytes.TrimSpace(data)) == 0 {
		return true
	}
	if json.Unmarshal(data, &all) != nil || len(all) > 1 {
		return false
	}
	var inner map[string]json.RawMessage
	return len(all) == 0 || json.Unmarshal(all["policies"], &inner) == nil && inner != nil && len(inner) == 0
}

// object is where an object stands in a text: the offset behind its opening brace.
type object struct {
	open  int
	empty bool
}

// member is where a member stands: the white space before its name, its value, and its end.
type member struct{ begin, value, end int }

// found is what concerns us in a policies.json; nil is what is not there.
type found struct {
	top      object
	policies *object
	proxy    *member
}

// findPolicies walks the text. It refuses what is not one JSON object with an object "policies", and names that come twice, which
// programs read differently.
func findPolicies(data []byte) (found, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	var f found
	var err error
	f.top, err = members(d, data, func(name string, _ member) error {
		if name != "policies" {
			return d.SkipValue()
		}
		o, err := members(d, data, func(name string, m member) error {
			if err := d.SkipValue(); err != nil {
				return err
			}
			if m.end = int(d.InputOffset()); name == "Proxy" {
				f.proxy = &m
			}
			return nil
		})
		f.policies = &o
		return err
	})
	if err == nil {
		if _, more := d.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind its end")
		}
	}
	if err != nil {
		return found{}, fmt.Errorf("not a file of policies: %w", err)
	}
	return f, nil
}

// members reads an object and calls back at each of its values, which the callback has to read.
func members(d *jsontext.Decoder, data []byte, each func(name string, m member) error) (object, error) {
	t, err := d.ReadToken()
	if err != nil {
		return object{}, err
	}
	if t.Kind() != '{' {
		return object{}, fmt.Errorf("want an object, have %s", t.Kind())
	}
	o := object{open: int(d.InputOffset()), empty: true}
	begin := o.open
	for d.PeekKind() != '}' {
		if !o.empty { // behind the comma
			begin += bytes.IndexByte(data[begin:], ',') + 1
		}
		t, err := d.ReadToken()
		if err != nil {
			return o, err
		}
		name := t.String()
		o.empty = false
		kind := d.PeekKind() // goes to where the value begins
		if kind == 0 {
			_, err := d.ReadToken()
			return o, err
		}
		value := int(d.InputOffset())
		value += len(data[value:]) - len(bytes.TrimLeft(data[value:], ": \t\r\n"))
		if err := each(name, member{begin: begin, value: value}); err != nil {
			return o, err
		}
		begin = int(d.InputOffset())
	}
	_, err = d.ReadToken()
	return o, err
}
