package intercept

import (
	"net/netip"
	"sync/atomic"

	"go.uber.org/zap"
)

// refusal counts clients that were turned away for one reason. The log hears of it now and then: at the transparent door they hear nothing themselves, and
// whoever has forgotten somebody in Config.Clients would look in vain.
type refusal struct {
	n   atomic.Int64
	log logThrottle
}

// add counts a client; why is what it is told, where it is told something.
func (r *refusal) add(p *Plugin, client netip.Addr, why string) {
	n := r.n.Add(1)
	if r.log.due() {
		who := "" // a load balancer has not said yet for whom a connection is
		if client.IsValid() {
			who = client.Unmap().String()
		}
		p.logger.Warn("client refused", zap.String(keyClient, who), zap.String(keyReason, why), zap.Int64("times", n))
	}
}
