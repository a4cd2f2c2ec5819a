package main

import (
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
)

// A guard that has put no settings in place says nothing of them when it ends, in a state directory, say, that became read-only.
func TestSession_endWithoutBegin(t *testing.T) {
	t.Parallel()
	core, said := observer.New(zap.DebugLevel)
	s := &session{desktop: desktop.New(desktop.Config{Lock: func(bool) (func(), error) { return nil, errors.New("read-only file system") }}), logger: zap.New(core)}
	s.end()
	if said.Len() != 0 {
		t.Errorf("said: %v", said.All())
	}
}
