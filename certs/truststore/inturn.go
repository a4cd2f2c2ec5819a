package truststore

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"autodiscover-guard/certs/turn"
)

// turnPatience is what the slowest of the stores' programs takes on a slow machine.
const turnPatience = time.Minute

// inTurn changes stores while no other process with this journal does: of two that find the root missing at once, one that fails would put back what
// the other has just recorded as installed.
func (s *Stores) inTurn(ctx context.Context, change func() []Report) []Report {
	end, err := turn.Take(ctx, filepath.Dir(s.Journal), turnPatience)
	switch {
	case errors.Is(err, turn.ErrTaken), ctx.Err() != nil:
		return []Report{Report{Store: "journal", Path: s.Journal}.fail(err.Error())}
	case err != nil: // there is no such directory, and so no journal, or whoever writes there tells of it
		return change()
	}
	defer end()
	return change()
}
