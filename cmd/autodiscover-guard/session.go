package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
)

// allPlaces is what --with-setup means without a value.
const allPlaces = "all"

// session is the settings that live as long as a guard.
type session struct {
	desktop *desktop.Desktop
	logger  *zap.Logger
	begun   bool // that there may be settings of this guard's
}

// onlyPlaces are the families that --with-setup names; none where all are meant.
func onlyPlaces(places string) []string {
	if places == allPlaces {
		return nil
	}
	return strings.Split(places, ",")
}

// checkPlaces refuses a family that this system does not have, before anything is made for a guard that would not stay.
func checkPlaces(places string) error {
	if places == "" {
		return nil
	}
	system, err := desktop.ThisSystem()
	if err == nil {
		err = desktop.New(desktop.Config{System: system}).CheckNames(onlyPlaces(places))
	}
	if err != nil {
		return fmt.Errorf("--with-setup: %w", err)
	}
	return nil
}

// openSession takes back first what a crash has left: the settings of a guard that is gone point nowhere.
func openSession(ctx context.Context, state string, logger *zap.Logger) (*session, error) {
	d, err := openDesktop(state)
	if err != nil { // no home directory: nobody whose settings they could be
		return &session{logger: logger}, nil //nolint:nilerr // and no reason not to guard
	}
	s := &session{desktop: d, logger: logger}
	results, err := d.Recover(ctx)
	s.tell("settings left over from a crash", results)
	return s, err
}

// begin puts the settings in place. The guard answers already.
func (s *session) begin(ctx context.Context, places, state string, c *config.Config) error {
	target, err := targetOf(state, c, "")
	if err != nil {
		return fmt.Errorf("--with-setup: %w", err)
	}
	s.begun = true
	results, err := s.desktop.On(ctx, target, desktop.Options{Session: true, Only: onlyPlaces(places)})
	if err != nil {
		return fmt.Errorf("--with-setup: %w", err)
	}
	s.tell("settings put in place", results)
	if _, err := fetchPAC(ctx, target.PAC); err != nil {
		s.logger.Warn("the PAC cannot be fetched, so programs go direct", zap.String("pac", target.PAC), zap.Error(err))
	}
	return nil
}

// end takes back what begin has put in place; it is safe to call again, and without begin.
func (s *session) end() {
	if !s.begun {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	results, err := s.desktop.End(ctx)
	if err != nil {
		s.logger.Error("settings were not taken back; setup off does it", zap.Error(err))
	}
	s.tell("settings taken back", results)
}

func (s *session) tell(what string, results []desktop.Result) {
	for _, r := range results {
		fields := []zap.Field{zap.String("place", r.Name), zap.String("where", r.Where), zap.String("state", string(r.State)), zap.String("note", r.Note)}
		switch {
		case !r.Good():
			s.logger.Warn(what, fields...)
		case r.State == desktop.Absent:
			s.logger.Debug(what, fields...)
		default:
			s.logger.Info(what, fields...)
		}
	}
}
