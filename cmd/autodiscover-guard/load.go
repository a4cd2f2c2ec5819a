package main

import (
	"crypto/x509"
	"fmt"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/reserved"
)

// loadConfig reads the configuration file, or the defaults where no file is named.
func loadConfig(path string) (*config.Config, error) {
	if path == "" {
		return config.Default(), nil
	}
	return config.Load(path, config.KnownServices(rules.ServiceNames()...))
}

// loadPolicy reads a configuration and makes its policy.
func loadPolicy(path string) (*config.Config, *rules.Policy, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, nil, err
	}
	policy, err := makePolicy(c)
	return c, policy, err
}

// makePolicy turns what the configuration says into a policy.
func makePolicy(c *config.Config) (*rules.Policy, error) {
	set, err := reserved.New(c.Policy.Sets...)
	if err != nil {
		return nil, fmt.Errorf("policy.sets: %w", err)
	}
	services := make(map[string]rules.Mode, len(c.Policy.Services))
	for name, mode := range c.Policy.Services {
		services[name] = rules.Off
		if mode == config.Enforce {
			services[name] = rules.Enforce
		}
	}
	p, err := rules.New(rules.Config{Reserved: set, Services: services, Open: c.Policy.Open, Close: c.Policy.Close, Rules: c.Policy.Rules})
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

// upstreamRoots are the system's roots and those of the file that the configuration names; nil means the system's alone.
func upstreamRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pool := systemRoots()
	return pool, addCertificates(pool, "upstream.roots", file)
}

// systemRoots are those of this computer, or none: without a system store, a file stands alone.
func systemRoots() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return x509.NewCertPool()
	}
	return pool
}
