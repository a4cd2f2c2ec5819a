// Package intercept is the plugin: it stands in a proxy made with github.com/elazarl/goproxy, opens the few connections in which mail clients
// look for their configuration, has package rules decide on what is asked and answered, and records each decision. It is the only
// package that knows goproxy and live HTTP. It decides nothing itself.
//
//	plugin, err := intercept.New(intercept.Config{Policy: policy, Issuer: authority, Decisions: logger})
//	…
//	server := &http.Server{Handler: plugin.Front(goproxy.NewProxyHttpServer()), ConnContext: plugin.ConnContext}
//
// # The life of an exchange
//
// A request comes to a door. A CONNECT request for a host that the policy opens, to port 443 or 80, is answered 200 and its connection shown
// into the hall: one net/http server for HTTP/1 and HTTP/2, which speaks TLS with a leaf of the Issuer, has timeouts and limits, and
// drains at a stop. Every other CONNECT goes to goproxy's tunnel, byte for byte and unseen. In the hall, a request whose Host is not what the
// tunnel was opened for is answered 421. Plain requests in absolute form come without a tunnel.
//
// From both, the request goes through goproxy's plain path, so that handlers of other plugins see and may change it. The policy makes a plan
// before anybody is dialled: the question is answered here, goes on without its secrets, goes on as it is, or is not discovery. The answer
// to a question is read whole, within limits, and judged; what passes goes out with the same bytes, header fields (but the hop-by-hop ones) and
// length. What is not discovery streams through. In the end one record is written for each discovery exchange.
//
// # Promises
//
//   - Not guarded: the client gets what upstream sent. Where upstream fails, it gets a 502 or 504 that says which step failed.
//   - Guarded: the client gets what the policy decided on or the dialect's own "no settings", even if upstream fails, answers too much or
//     too slowly, or something panics. Never half an answer that looks whole.
//   - One record per discovery exchange, without query, password or token, and with a mailbox only where Config.Privacy says so.
//   - A panic in any handler costs its own exchange and nothing else.
//   - One client's limits, stalls and log-ins (NTLM) are not another's.
//
// [Plugin.Install] alone, in a proxy that somebody else fronts, cannot promise all of this; its documentation says what is missing.
//
// # What it does not do
//
// It does not authenticate proxy clients, does not follow the environment's proxies, and does not open ports other than 443 and 80: on mail
// ports the server speaks first, and there is nothing to be read for us.
package intercept
