package certs_test

import (
	"crypto"
	"crypto/x509"
	"testing"

	"autodiscover-guard/certs"
)

// A company's CA: a root without limits, an intermediate that issues CAs, and the one that is meant for us.
type company struct{ root, policy, issuing *pair }

// newCompany makes one, after spoil has had its way with the three templates.
func newCompany(t *testing.T, spoil func(root, policy, issuing *x509.Certificate)) company {
	t.Helper()
	root, policy, issuing := template("Corp Root CA"), template("Corp Policy CA"), template("Corp Discovery CA")
	for _, c := range []*x509.Certificate{root, policy} {
		c.PermittedDNSDomains, c.ExcludedIPRanges, c.ExtKeyUsage = nil, nil, nil
	}
	spoil(root, policy, issuing)
	var c company
	c.root = issue(t, root, nil)
	c.policy = issue(t, policy, c.root)
	c.issuing = issue(t, issuing, c.policy)
	return c
}

func untouched(_, _, _ *x509.Certificate) {}

func (c company) material() certs.Material {
	return certs.Material{
		Keys:         []crypto.Signer{c.issuing.key},
		Certificates: []*x509.Certificate{c.root.cert, c.issuing.cert, c.policy.cert},
	}
}

func material(t *testing.T, data []byte) certs.Material {
	t.Helper()
	m, err := certs.ReadMaterial(data, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}
