package certs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"autodiscover-guard/certs/turn"
)

// turnPatience is far above what a change takes. Who only signs has none while there is something to sign with: clients wait behind it.
const turnPatience = 10 * time.Second

// takeTurn keeps other processes from changing the authority in dir until the turn is ended: a guard renews, an operator's command widens, a timer imports
// what another replica has renewed. Each reads files and writes others that have to fit them, and an issuing certificate below the root of a moment ago is
// one that no root vouches for. Who only reads finds files that fit at any moment, and waits for nobody.
func takeTurn(dir string, patience time.Duration) (end func(), err error) {
	end, err = turn.Take(context.Background(), dir, patience)
	switch {
	case errors.Is(err, turn.ErrTaken):
		return nil, fmt.Errorf("changing the authority: %w", err)
	case err != nil:
		return func() {}, nil //nolint:nilerr // whoever reads it next tells of it
	}
	return end, nil
}
