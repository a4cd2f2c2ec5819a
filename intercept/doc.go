// Package intercept is the plugin: it stands in a proxy made with github.com/elazarl/goproxy, opens the few connections in which mail clients
// look for their configuration, has package rules decide on what is asked and answered, and records each decision. It is the only
// package that knows goproxy and live HTTP. It decides nothing itself.
//
//	plugin, err := intercept.New(intercept.Config{Policy: policy, Issuer: authority, Decisions: logger})
//	…
//	server := &http.Server{Handler: plugin.Front(goproxy.NewProxyHttpServer()), ConnContext: plugin.ConnContext}
//	err = server.Serve(plugin.Listener(listener))
//
// # The life of an exchange
//
// A request comes to a door. A CONNECT request for a host that the policy opens, to port 443 or 80, is answered 200 and its connection shown
// into the hall: servers of net/http for HTTP/1 and HTTP/2, which speak TLS with a leaf of the Issuer, have timeouts and limits, and
// drain at a stop. Every other CONNECT goes to goproxy's tunnel, byte for byte and unseen, unless it is for an address: then the host that the client names
// inside decides. In the hall, a request whose Host is not what the tunnel was opened for is answered 421. Plain requests in absolute form come without a tunnel.
//
// In the source: listener.go accepts, front.go sorts by door (transparent.go at the other one), hall.go opens, exchange.go makes the plan, filter.go stands in
// goproxy, ask.go goes upstream by way of dialer.go, responsewriter.go answers, event.go records.
//
// # The doors
//
// The explicit door is [Plugin.Front] in an http.Server, whose listener goes through [Plugin.Listener]: absolute-form requests and CONNECT over
// HTTP/1.1, with TLS in front of it ([Plugin.SecureListener]) also CONNECT over HTTP/2. The transparent door is [Plugin.ServeTransparent], for what a packet
// filter redirects. Both let in Config.Clients alone, and hold Limits.Connections, Tunnels and PerClient: who is over a limit is refused at
// once and never queued. The explicit door reads the PROXY header of Config.ProxyProtocol, and asks for a password where there is a
// Config.Login. Requests in HTTP/1 that can be read in more than one way are refused. [Plugin.Stats] has the figures.
//
// A client that was kept from a host cannot reach its mail ports for a while (Config.Quarantine).
//
// # The plain path
//
// From all doors, the request goes through goproxy's plain path, so that handlers of other plugins see and may change it. The policy makes a plan
// before anybody is dialled: the question is answered here, goes on without its secrets, goes on as it is, or is not discovery. The answer
// to a question is read whole, within limits, and judged; what passes goes out with the same bytes, header fields (but the hop-by-hop ones) and
// length. What is not discovery streams through; only where it is about somebody guarded, or where an answer has sent its client, the answer is looked at
// first (watch.go, redirects.go). In the end one record is written for each discovery exchange.
//
// # Promises
//
//   - Not guarded: the client gets what upstream sent. Where upstream fails, it gets a 502 or 504 that says which step failed.
//   - Guarded: the client gets what the policy decided on or the dialect's own "no settings", even if upstream fails, answers too much or
//     too slowly, or something panics. Never half an answer that looks whole.
//   - One record per discovery exchange, without query, password or token, and with a mailbox only where Config.Privacy says so.
//   - A panic in any handler costs its own exchange and nothing else.
//   - Nobody reaches through the guard an address of its own surroundings that the operator has not allowed, nor the guard itself, unless a
//     proxy behind it (UpstreamConfig.Proxy) resolves a name to one and goes there.
//   - One client's limits, stalls and log-ins (NTLM) are not another's.
//
// [Plugin.Install] alone, in a proxy that somebody else fronts, cannot promise all of this; its documentation says what is missing.
//
// # Where it departs from RFC 9110
//
// Requests that are forwarded get a Via field, as section 7.6.3 demands; answers do not, because what is not guarded comes out with the header
// that upstream sent. A request whose Via names this process is answered 508. A TRACE that may go no further (Max-Forwards: 0) is answered 501 and not sent
// back, since its fields may be secret. What is passed on is asked in the client's version of HTTP, discovery in
// HTTP/2 where upstream offers it.
//
// # What it does not do
//
// It does not follow the environment's proxies unless UpstreamConfig.Proxy says so, and does not open ports other than 443 and 80: on mail ports
// the server speaks first, and there is nothing to be read for us. Over HTTP/2 it serves plain HTTP only in a
// server that [Plugin.ConfigureHTTP2] has prepared, because net/http alone does not tell a request's scheme.
package intercept
