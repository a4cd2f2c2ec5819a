package main

import (
	"crypto/x509"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// inputs are what a configuration and the files that it names come to. A start needs them, a reload reads them again, and a dry run reads nothing else but the
// state directory.
type inputs struct {
	policy *rules.Policy
	door   *doorCredentials
	// roots are whom we believe upstream, nil for the system's; proxyCredentials are for the proxy behind us.
	roots            *x509.CertPool
	proxyCredentials intercept.Credentials
	// hookSecret signs notifications.
	hookSecret notify.Secret
}

func readInputs(c *config.Config) (inputs, error) {
	var in inputs
	var err error
	if in.policy, err = makePolicy(c); err != nil {
		return in, err
	}
	if in.door, err = readDoorCredentials(c); err != nil {
		return in, err
	}
	if in.roots, err = upstreamRoots(c.Upstream.Roots); err != nil {
		return in, err
	}
	if in.proxyCredentials, err = readCredentials(c.Upstream.ProxyCredentials); err != nil {
		return in, err
	}
	in.hookSecret, err = readHookSecret(c)
	return in, err
}

// warn says what is right but hardly meant.
func (in inputs) warn(logger *zap.Logger) {
	for _, text := range in.policy.Warnings(time.Now()) {
		logger.Warn(text)
	}
	in.door.warn(logger, time.Now())
	roots := in.roots
	if roots == nil {
		roots = systemRoots()
	}
	if roots.Equal(x509.NewCertPool()) { // never of a system that keeps them elsewhere than in files
		logger.Warn("this computer has no root certificates, so no upstream can prove who it is, and TLS to each fails; install its package ca-certificates, or name a file in upstream.roots")
	}
}
