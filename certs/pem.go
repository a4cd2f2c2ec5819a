package certs

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// The files' text (RFC 7468).
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY" // PKCS #8
	crlBlock         = "X509 CRL"
	// consentBlock holds the SHA-256 of an issuing certificate that nothing constrains and that an operator wants all the same.
	consentBlock = "AUTODISCOVER-GUARD UNCONSTRAINED"
)

func encodeCertificate(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: cert.Raw})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}

// encodeTiers writes what stands in issuing.pem: the key first, as OpenSSL's tools do, behind it the issuing certificate and what is sent along
// with it, then the roots' revocation lists and the operator's consent, where there are such. It is one file so that it changes at once.
func encodeTiers(t *tiers) ([]byte, error) {
	text, err := encodeKey(t.key)
	if err != nil {
		return nil, err
	}
	for _, c := range t.all() {
		text = append(text, encodeCertificate(c)...)
	}
	for _, c := range t.cross {
		if der := t.formerCRLs[formerCRLPath(c.RawIssuer)]; der != nil {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: crlBlock, Bytes: der})...)
		}
	}
	if t.rootCRL != nil { // the last, which is the one that earlier versions keep
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: crlBlock, Bytes: t.rootCRL})...)
	}
	if t.consent {
		sum := sha256.Sum256(t.cert.Raw)
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: consentBlock, Bytes: sum[:]})...)
	}
	return text, nil
}

func decodeTiers(text []byte, root *x509.Certificate) (*tiers, error) {
	key, rest, err := decodeKey(text)
	if err != nil {
		return nil, err
	}
	cert, rest, err := decodeCertificate(rest)
	if err != nil {
		return nil, err
	}
	t := &tiers{issuer: issuer{cert: cert, key: key}}
	var others []*x509.Certificate
	var lists [][]byte
	for {
		block, more := pem.Decode(rest)
		if block == nil {
			t.arrange(root, others)
			for _, der := range lists {
				t.addCRL(der)
			}
			return t, checkRest(rest)
		}
		rest = more
		switch sum := sha256.Sum256(cert.Raw); block.Type {
		case certificateBlock:
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			others = append(others, c)
		case crlBlock:
			lists = append(lists, block.Bytes)
		case consentBlock:
			t.consent = bytes.Equal(block.Bytes, sum[:])
		default:
			return nil, fmt.Errorf("there is a %q block, which does not belong there", block.Type)
		}
	}
}

func decodeCertificate(text []byte) (*x509.Certificate, []byte, error) {
	der, rest, err := decodeBlock(text, certificateBlock)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, rest, err
}

func decodeKey(text []byte) (crypto.Signer, []byte, error) {
	der, rest, err := decodeBlock(text, keyBlock)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, err
	}
	signer, err := asSigner(key)
	return signer, rest, err
}

func decodeBlock(text []byte, kind string) (der, rest []byte, err error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, nil, fmt.Errorf("there is no %q block where one belongs", kind)
	}
	if block.Type != kind {
		return nil, nil, fmt.Errorf("there is a %q block where a %q one belongs", block.Type, kind)
	}
	return block.Bytes, rest, nil
}

func checkRest(rest []byte) error {
	if len(bytes.TrimSpace(rest)) != 0 {
		return errors.New("there is more in it than belongs there")
	}
	return nil
}
