package certs

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
)

// What a certificate must be to act as ours. Files can be swapped, and an authority without limits would be the very
// thing that this package exists to avoid.

// goproxyKey is the SHA-256 of the public key of goproxy's built-in CA (goproxy v1.9.4, certs.go: CA_CERT and CA_KEY).
// Its private key is printed in that source file and so known to everybody. A constant, as goproxy is not imported here.
const goproxyKey = "c012de113a81789eb5c392c0580156bbc281f9f93e07f08cafa3329672e6993b"

// checkAuthority returns nil for a CA certificate that can vouch for named hosts only.
func checkAuthority(cert *x509.Certificate) error {
	if err := checkCA(cert); err != nil {
		return err
	}
	if missing := missingConstraints(cert); missing != nil {
		return missing[0]
	}
	return nil
}

// checkCA returns nil for a certificate that may sign others and whose key is not known to everybody.
func checkCA(cert *x509.Certificate) error {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	switch {
	case hex.EncodeToString(sum[:]) == goproxyKey:
		return errors.New("its private key is goproxy's built-in one, which everybody can read in goproxy's source")
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return errors.New("it is not a CA certificate")
	case cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("its key usage does not include signing certificates")
	}
	return nil
}

// missingConstraints lists the constraints of ours that a CA certificate does not have; nil for one that is bound to named TLS servers.
func missingConstraints(cert *x509.Certificate) []error {
	var missing []error
	if len(cert.PermittedDNSDomains) == 0 {
		missing = append(missing, errors.New("it has no name constraints, so that its key could vouch for any site"))
	} else {
		missing = missingNameConstraints(cert)
	}
	if len(cert.UnknownExtKeyUsage) != 0 || len(cert.ExtKeyUsage) != 1 || cert.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		missing = append(missing, errors.New("its extended key usage is not TLS servers alone"))
	}
	return missing
}

// missingNameConstraints lists what is missing from name constraints.
func missingNameConstraints(cert *x509.Certificate) []error {
	var missing []error
	if !cert.PermittedDNSDomainsCritical {
		missing = append(missing, errors.New("its name constraints are not critical, so that clients may ignore them"))
	}
	if !excludesEveryAddress(cert) {
		missing = append(missing, errors.New("its name constraints do not exclude all IP addresses"))
	}
	for _, name := range cert.PermittedDNSDomains {
		// An empty name would permit everything.
		name = normalise(name)
		if len(name) > 1 && name[0] == '.' {
			name = name[1:]
		}
		if err := checkName(name); err != nil {
			missing = append(missing, fmt.Errorf("its name constraints permit what is not a domain: %w", err))
		}
	}
	return missing
}

// missingChainConstraints is nil if a certificate of the chain binds all below it. The root does not count: it is trusted as it is, and some
// verifiers do not look at its constraints. Otherwise it is what the issuing certificate does not have.
func missingChainConstraints(t *tiers) []error {
	for _, c := range t.signers() {
		if missingConstraints(c) == nil {
			return nil
		}
	}
	return missingConstraints(t.cert)
}

func excludesEveryAddress(cert *x509.Certificate) bool {
	var v4, v6 bool
	for _, n := range cert.ExcludedIPRanges {
		if ones, bits := n.Mask.Size(); ones == 0 {
			v4 = v4 || bits == 8*net.IPv4len
			v6 = v6 || bits == 8*net.IPv6len
		}
	}
	return v4 && v6 && len(cert.PermittedIPRanges) == 0
}
