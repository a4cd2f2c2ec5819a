package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"

	"go.uber.org/zap"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/intercept"
)

// dryRun says whether the guard would start, as far as that is known without starting it: everything is read that a start reads. Nothing is made,
// changed, locked or listened on, so that it can be asked beside a running guard, before its configuration is replaced. Whether addresses are free and files
// can be written is not tried.
func (s *service) dryRun(stdout, stderr io.Writer) error {
	c, err := s.load()
	if err != nil {
		return err
	}
	logger, quiet, err := lifeLogger(stderr, &c.Log)
	if err != nil {
		return err
	}
	defer quiet()
	in, err := readInputs(c)
	if err != nil {
		return err
	}
	in.warn(logger)
	path, err := c.StateDir()
	if err != nil {
		return err
	}
	if err := wouldServe(c, in, path); err != nil {
		return err
	}
	creates, err := certs.CheckOpen(authorityDir(path), certs.Scope{Names: in.policy.Scope()}, certs.RevocationAt(revocationAddress(c)))
	if err != nil {
		return explained(err)
	}
	fmt.Fprintf(stdout, "the guard would start, with policy %s\n", in.policy.Revision())
	if creates {
		fmt.Fprintf(stdout, "it would make its authority, which clients have to trust, in %s\n", authorityDir(path))
	}
	return nil
}

// wouldServe says why no guard can be made of a configuration and of what its files say, but for its authority; nil where one can. state is where the privacy key is.
func wouldServe(c *config.Config, in inputs, state string) error {
	d := new(credentialStore)
	d.current.Store(in.door)
	made, err := pluginConfig(c, in, d)
	if err != nil {
		return err
	}
	if made.PrivacyKey, err = wouldBePrivacyKey(c, state); err != nil {
		return err
	}
	made.Issuer = noIssuer{}
	plugin, err := intercept.New(made)
	if err != nil {
		return err
	}
	defer plugin.Close()
	_, err = explicitDoor(c, plugin, d, zap.NewNop())
	return err
}

// noIssuer is the authority of a guard that serves nobody.
type noIssuer struct{}

// Leaf implements intercept.Issuer.
func (noIssuer) Leaf(string) (*tls.Certificate, error) {
	return nil, errors.New("a dry run signs nothing")
}
