package main

import (
	"context"
	"crypto/x509"
	"time"

	"go.uber.org/zap"
)

const (
	// expiryLook is how often it is looked how long the authority's certificates still last.
	expiryLook = 12 * time.Hour
	// rootNotice is how long before its end a root is spoken of: a new one has to reach every client.
	rootNotice = 90 * 24 * time.Hour
	// issuingNotice is the same for the issuing certificate, which is renewed by itself thirty days before its end (package certs); where it has
	// less than these left, that does not work.
	issuingNotice = 21 * 24 * time.Hour
)

// certificates are those of an authority, as far as they can end.
type certificates interface {
	Root() *x509.Certificate
	Issuing() *x509.Certificate
}

// watchAuthority says in time that a certificate is about to end, until ctx does.
func watchAuthority(ctx context.Context, a certificates, logger *zap.Logger) {
	tick := time.NewTicker(expiryLook)
	defer tick.Stop()
	for {
		warnOfEnd("root", a.Root(), rootNotice, logger)
		warnOfEnd("issuing", a.Issuing(), issuingNotice, logger)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func warnOfEnd(name string, c *x509.Certificate, notice time.Duration, logger *zap.Logger) {
	if time.Until(c.NotAfter) < notice {
		logger.Warn(messageEnding, zap.String("certificate", name), zap.Time("until", c.NotAfter.UTC()))
	}
}
