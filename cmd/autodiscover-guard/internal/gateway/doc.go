// Package gateway writes what stands around the guard on a gateway: the systemd service and its sockets, the user, the nftables rules that send
// clients' connections to the transparent door, and what routes them there. It writes text and changes nothing; all of it comes from a [Plan].
//
// The redirect leaves out the guard's own connections (by its user), which would come back to it without end, and destinations that the guard does
// not dial (upstream.private), which would be cut off.
package gateway
