package review

import (
	"io"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// The formats into which records can be converted, one a line: the Elastic Common Schema and the Open Cybersecurity Schema Framework.
const (
	FormatECS  Format = "ecs"
	FormatOCSF Format = "ocsf"
)

// The versions of those schemas that the fields are named after.
const (
	ecsVersion  = "8.17.0"
	ocsfVersion = "1.5.0"
)

// vendorKey is the name under which stand the keys of a record for which a foreign schema has no field.
const vendorKey = "autodiscover_guard"

// Converter writes every decision that a filter lets through in the words of another schema. It implements Consumer.
type Converter struct {
	filter Filter
	out    io.Writer
	fields func(*Record, *leakCheck) map[string]any
	leak   leakCheck
	err    error
}

// NewConverter makes a converter; format is FormatECS or FormatOCSF. Whoever has read everything asks it for Err.
func NewConverter(f Filter, format Format, out io.Writer) *Converter {
	c := &Converter{filter: f, out: out, fields: ecs}
	if format == FormatOCSF {
		c.fields = ocsf
	}
	return c
}

// Err is the first error of writing.
func (c *Converter) Err() error { return c.err }

// Event implements Consumer.
func (*Converter) Event(*Event, string) {}

// Decision implements Consumer.
func (c *Converter) Decision(r *Record, _ string) {
	if c.err != nil || !c.filter.Match(r) {
		return
	}
	c.leak.check(r)
	line, err := json.Marshal(c.fields(r, &c.leak), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err == nil {
		_, err = c.out.Write(terminal.Escape(append(line, '\n')))
	}
	c.err = err
}

type object = map[string]any

// vendorFields are the record's keys that the schema has no field for.
func vendorFields(r *Record) object {
	return object{
		"mode": r.Mode, "would": r.Would, "door": r.Door, "dialect": r.Dialect, "subjects": r.Subjects, "accounts": r.Accounts,
		"reserved_by": r.ReservedBy, "credentials": r.Credentials, "suggestions": r.Suggestions, "strangers": r.Strangers, "upstream": r.Upstream,
		"policy": r.Policy, "authority": r.Authority, "repeat": r.Times(), "action": r.Action, "schema": r.Schema,
	}
}

// leaked reports whether a stranger reached a client, or a secret a stranger.
func (l *leakCheck) leaked() bool { return l.secrets || l.monitored && len(l.strangers) > 0 }

// ecs maps a record to the Elastic Common Schema.
func ecs(r *Record, l *leakCheck) object {
	kind, allowed := "event", "allowed"
	if l.leaked() {
		kind = "alert"
	}
	if changes(r.Action) {
		allowed = "denied"
	}
	event := object{
		"kind": kind, "category": []string{"network"}, "type": []string{"protocol", allowed}, "action": "discovery-" + r.Action, "outcome": "success",
		"id": r.Exchange, "reason": r.Reason, "module": vendorKey, "dataset": vendorKey + ".decision", "duration": nanoseconds(r.TookMS),
	}
	client, addresses := object{"address": r.Client}, []string{}
	if ip, err := netip.ParseAddr(r.Client); err == nil { // Elasticsearch takes no document whose address has a zone
		address := ip.WithZone("").String()
		client["ip"], addresses = address, append(addresses, address)
	}
	return object{
		"@timestamp": Moment(r.At).exact(),
		"ecs":        object{"version": ecsVersion},
		"message":    r.Reason,
		"event":      event,
		"log":        object{"level": r.Level},
		"observer":   object{"product": "autodiscover-guard", "type": "proxy"},
		"client":     client,
		"source":     client,
		"server":     object{"address": r.Host, "domain": stripPort(r.Host)},
		"url":        object{"domain": stripPort(r.Host), "path": r.Path},
		"http": object{
			"request":  object{"method": r.Method},
			"response": object{"status_code": r.Status, "body": object{"bytes": r.BytesOut}},
		},
		"rule":    object{"name": r.Rule, "reference": r.ReservedBy},
		"related": object{"hosts": append([]string{stripPort(r.Host)}, l.strangers...), "ip": addresses},
		vendorKey: vendorFields(r),
	}
}

// nanoseconds are as many milliseconds, or the most that there can be: a log may have any number.
func nanoseconds(ms int64) int64 {
	return min(max(ms, 0), math.MaxInt64/int64(time.Millisecond)) * int64(time.Millisecond)
}

// ocsf maps a record to class 4002 (HTTP Activity) of the Open Cybersecurity Schema Framework, with the profile security_control.
func ocsf(r *Record, l *leakCheck) object {
	activity := httpActivity(r.Method)
	request := object{"url": object{"hostname": stripPort(r.Host), "path": r.Path}}
	if activity != otherActivity {
		request["http_method"] = httpMethods[activity-1]
	}
	severity, disposition, action := 1, 1, 1 // informational; allowed; allowed
	switch {
	case l.leaked():
		severity, disposition = 4, 19 // high; alert
	case r.Action == "refuse":
		severity, disposition, action = 3, 2, 2 // medium; blocked; denied
	case changes(r.Action):
		severity, disposition, action = 3, 11, 4 // medium; corrected; modified
	}
	out := object{
		"category_uid": 4, "class_uid": 4002, "activity_id": activity, "type_uid": 400200 + activity,
		"time": r.At / int64(time.Millisecond), "severity_id": severity, "status_id": 1, "count": r.Times(), "message": r.Reason, "duration": r.TookMS,
		"metadata": object{
			"version": ocsfVersion, "profiles": []string{"security_control"}, "uid": r.Exchange, "log_name": recordMessage, "log_level": r.Level,
			"original_time": r.Time, "product": object{"name": "autodiscover-guard", "vendor_name": "autodiscover-guard"},
		},
		"action_id": action, "disposition_id": disposition, "is_alert": l.leaked(),
		"policy":        object{"uid": r.Policy, "name": r.Rule},
		"src_endpoint":  object{"ip": r.Client},
		"dst_endpoint":  object{"hostname": stripPort(r.Host)},
		"http_request":  request,
		"http_response": object{"code": r.Status, "length": r.BytesOut},
		"unmapped":      object{vendorKey: vendorFields(r)},
	}
	if activity == otherActivity { // WebDAV's methods, say
		out["activity_name"] = r.Method
	}
	if r.Rule != "" {
		out["firewall_rule"] = object{"name": r.Rule, "desc": r.ReservedBy}
	}
	return out
}

// httpMethods are all methods that OCSF 1.5 knows, each one's number being that of its place, from 1; PATCH came with 1.6.
var httpMethods = [...]string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE"}

// otherActivity is the number of every other one, which stands in activity_name.
const otherActivity = 99

// httpActivity is the number that OCSF has for a method.
func httpActivity(method string) int {
	for i, name := range httpMethods {
		if strings.EqualFold(name, method) {
			return i + 1
		}
	}
	return otherActivity
}
