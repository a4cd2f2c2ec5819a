package console

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// metricPrefix stands in front of the names of our own metrics.
const metricPrefix = "autodiscover_guard_"

// Types of metrics, in the words of the text format.
const (
	counter = "counter"
	gauge   = "gauge"
)

// families are our own metrics, without what stands in front of their names. What is here stands in the README's table, and what is there is served:
// a test of the program compares them.
var families = map[string]struct{ kind, help string }{
	"accept_failures_total":                        {counter, "Connections that could not be accepted, most of all for want of descriptors."},
	"admin_sign_ins_total":                         {counter, "Attempts with a token at the admin listener."},
	"authority_expiry_days":                        {gauge, "Days until a certificate of the authority ends."},
	"authority_not_after_timestamp_seconds":        {gauge, "When a certificate of the authority ends, in seconds since 1970."},
	"authority_root_key_present":                   {gauge, "Whether the root's key lies beside its certificate."},
	"authority_warnings":                           {gauge, "What somebody has to do about the authority."},
	"clients":                                      {gauge, "Clients with a connection or a tunnel, of IPv6 their networks of 64 bits."},
	"connections":                                  {gauge, "Connections of clients that live."},
	"decisions_total":                              {counter, "Exchanges that were about discovery, by what became of them."},
	"door_certificate_not_after_timestamp_seconds": {gauge, "When the certificate of a door over TLS ends, in seconds since 1970."},
	"handshakes_total":                             {counter, "TLS handshakes of clients in opened connections, by how they ended."},
	"leaves_total":                                 {counter, "Certificates for hosts, by where they came from."},
	"log_dropped_total":                            {counter, "Decision records that could not be written."},
	"notifications_total":                          {counter, "Notifications, by what they were about and what became of them."},
	"policy_info":                                  {gauge, "The policy in force; always 1."},
	"policy_stale":                                 {gauge, "Whether the configuration file in force is older than the one that is there."},
	"quarantined":                                  {gauge, "Pairs of client and host to which mail ports are shut."},
	"refused_total":                                {counter, "Connections, requests and tunnels that were turned away, by why."},
	"reloads_total":                                {counter, "Reloads of the configuration."},
	"tunnels":                                      {gauge, "Tunnels that live."},
	"upstream_errors_total":                        {counter, "Exchanges and tunnels to which upstream gave no whole answer, by why."},
}

// Series names a series of one of our own metrics: the metric's name, of which the part that all have in common is left out, and labels with their
// values in turn.
func Series(name string, labels ...string) string {
	var b strings.Builder
	b.WriteString(metricPrefix + name)
	open := "{"
	for pair := range slices.Chunk(labels, 2) {
		b.WriteString(open + pair[0] + `="`)
		_, _ = labelValue.WriteString(&b, strings.ToValidUTF8(pair[1], "\ufffd"))
		b.WriteByte('"')
		open = ","
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	return b.String()
}

// labelValue writes what the text format cannot hold as it is. It knows these three and no other: with what strconv.Quote writes for characters
// that cannot be seen, nobody could read any metric (Prometheus, "Exposition formats").
var labelValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// foreign is what is said about metrics that the library writes about the process.
const foreign = "Of the Go runtime or the process, see github.com/VictoriaMetrics/metrics, WriteProcessMetrics."

// described takes series one to a line, as the library writes them, and gives each family's together, in the order in which they came, below what it
// is about. The library (v1.45.0, metrics.go: writeMetadata) has no texts for that, and writes a family's type once for each of its series.
func described(series []byte) []byte {
	lines := map[string][][]byte{}
	for line := range bytes.Lines(series) {
		name := string(line[:max(bytes.IndexAny(line, "{ "), 0)])
		lines[name] = append(lines[name], line)
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		if f, ok := families[strings.TrimPrefix(name, metricPrefix)]; ok && strings.HasPrefix(name, metricPrefix) {
			b.WriteString("# HELP " + name + " " + f.help + "\n# TYPE " + name + " " + f.kind + "\n")
		} else {
			b.WriteString("# HELP " + name + " " + foreign + "\n")
		}
		for _, line := range lines[name] {
			b.Write(line)
		}
	}
	return b.Bytes()
}
