package intercept

import (
	"net/netip"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A flood of refusals is one line, with the first client; one whose address nobody has said yet has none.
func TestRefusal_tells(t *testing.T) {
	for client, want := range map[netip.Addr]string{{}: "", netip.MustParseAddr("::ffff:192.0.2.7"): "192.0.2.7"} {
		core, told := observer.New(zap.WarnLevel)
		p, r := &Plugin{logger: zap.New(core)}, new(refusal)
		for range 3 {
			r.add(p, client, "why")
		}
		if told.Len() != 1 || told.All()[0].ContextMap()[keyClient] != want || r.n.Load() != 3 {
			t.Errorf("%v: told %v of %d", client, told.All(), r.n.Load())
		}
	}
}
