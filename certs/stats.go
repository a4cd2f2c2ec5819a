package certs

// Stats are the figures of an [Authority] since it was opened.
type Stats struct {
	// Cached counts the leaves that were found in the cache, Made those that were signed.
	Cached, Made uint64
}

// Stats returns the figures as they are now. It may be called concurrently.
func (a *Authority) Stats() Stats {
	s := a.leaves.Stats()
	return Stats{Cached: s.Hits, Made: s.LoadSuccesses}
}
