package intercept

import "net"

// ResolveWith has names resolved by r.
func (p *Plugin) ResolveWith(r *net.Resolver) { p.dialer.untrusted.Resolver = r }

// Lull is for how long a stop listens at least.
const Lull = quietTime
