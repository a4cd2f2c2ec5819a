package intercept

import (
	"net"
	"time"
)

// ResolveWith has names resolved by r.
func (p *Plugin) ResolveWith(r *net.Resolver) { p.dialer.untrusted.Resolver = r }

// Lull is for how long a stop listens at least.
const Lull = quietTime

// SetPatience has clients that have ended their side waited for as long as d. Call it before the plugin serves.
func (p *Plugin) SetPatience(d time.Duration) { p.patience = d }
