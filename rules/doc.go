// Package rules is the policy: which hosts may be named to an account of which domain, and what follows.
//
// The one idea is that a guarded domain has a set of hosts that may be named to it. A suggestion outside the set does not reach the client;
// credentials travel only to a host inside the set; and where no suggestion is left the client gets the dialect's own quiet "no settings".
// Documentation names (example.com) have the empty set. Private-use names (lab.test) have their own domain and private addresses.
//
// # How a decision is made
//
//	plan := policy.Plan(request, from)       // before anybody is dialled: answer, refuse, scrub, forward, or not ours
//	decision := policy.Judge(&plan, answer)  // after: pass, edit or refuse
//
// [Policy.Plan] collects everybody whom the request is about, from every carrier, and finds the rule of each. If any one of them is guarded
// the exchange is. A question for a guarded domain goes to a host in the set as it is, to a central service without its secrets, and to
// nobody else. [Policy.Judge] reads the answer, judges each suggestion against the sets of all guarded subjects, and lets the dialect write
// a fresh document. Then a second, deliberately simple reader looks through every decoded layer of what is about to be sent; a host that it
// finds outside the sets turns the decision into a refusal.
//
// A request that does not look like discovery may be some all the same: [Policy.Sniff] goes by the answer, and [Policy.Follow] and [Policy.SniffRedirect] by the
// redirect that sent the client there ([Decision.Redirects]).
//
// # Rules
//
// An operator's [Rule] says the set for some domains, perhaps for some clients, services, dialects, or until a day, and what follows outside it. The
// first rule that applies decides alone; the built-in ones come last. A rule that only monitors is judged twice: as if it were enforced, for
// Decision.Would, and for the client as if it guarded nobody: no built-in rule takes its place.
//
// # Promises
//
// Not guarded: the answer passes untouched, readable or not. Guarded: what cannot be read beyond doubt is refused. Deciding on an edited
// answer again changes nothing. A larger reserved set never turns a refusal into a pass. The package is pure: facts and bytes in, a decision
// out; no input or output, no clock, no log.
package rules
