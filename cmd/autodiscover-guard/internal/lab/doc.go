// Package lab replays, on loopback, the discovery services of the example.com incident and their like: what the demo, the doctor and the
// tests use in place of the Internet.
//
// A [Service] is a real HTTPS server (HTTP/1.1 and HTTP/2) on a free port of 127.0.0.1, with a certificate from an authority
// that lives and dies with it. It keeps every request that it gets, so that a test can ask afterwards whether a password arrived:
//
//	s, err := lab.Start([]string{lab.AutoDetectHost}, lab.AutoDetect())
//	…
//	defer s.Close()
//	for _, r := range s.Seen() {
//		where, leaked := r.Carries("hunter2")
//		…
//	}
//
// [AutoDetect] and [POX] are the answers of two dialects. Both give an account on example.com the two foreign servers of the incident, an
// account on lab.test one server of its own beside a stranger, and everybody else the servers of their own domain. No answer depends on a
// password or on the time, so two runs can be compared byte by byte. [Incident] is the answer that was captured, with all its header fields.
//
// The package knows nothing of the guard: it neither imports the rules nor shares a parser with them, so a mistake there cannot hide here.
package lab
