package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// Material is what somebody brings to make an authority of: one private key, the certificates from its own up to a root, in any order, and
// perhaps the root's revocation list. Read it with [ReadMaterial]; the parts of several files are put together with [Material.Add].
type Material struct {
	Keys         []crypto.Signer
	Certificates []*x509.Certificate
	Lists        []*x509.RevocationList
	// Unconstrained is an operator's word that an issuing certificate without complete name constraints is wanted all the same. Whoever
	// steals its key can pose as any site to everybody who trusts the root.
	Unconstrained bool
}

// Add appends the parts of another.
func (m *Material) Add(other Material) {
	m.Keys = append(m.Keys, other.Keys...)
	m.Certificates = append(m.Certificates, other.Certificates...)
	m.Lists = append(m.Lists, other.Lists...)
}

// ErrPassword is what [ReadMaterial] returns for a PKCS #12 file that the password does not open.
var ErrPassword = errors.New("the password does not open the PKCS #12 file")

// ReadMaterial reads PEM with certificates and keys (PKCS #8, PKCS #1, SEC 1), a DER certificate, or a PKCS #12 file. The password is for
// PKCS #12 alone. Encrypted PEM keys are not read, and named.
func ReadMaterial(data []byte, password string) (Material, error) {
	if len(data) > maxFile {
		return Material{}, errors.New("it is larger than any file of an authority")
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return readPEM(data)
	}
	if cert, err := x509.ParseCertificate(data); err == nil {
		return Material{Certificates: []*x509.Certificate{cert}}, nil
	}
	const sequence = 0x30 // ASN.1's tag, which whatever is not PEM begins with
	if len(data) == 0 || data[0] != sequence {
		return Material{}, errors.New(neither)
	}
	return readPKCS12(data, password)
}

const neither = "it is neither PEM, nor a certificate in DER, nor a PKCS #12 file with a key"

func readPKCS12(data []byte, password string) (Material, error) {
	key, cert, more, err := pkcs12.DecodeChain(data, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return Material{}, ErrPassword
	}
	if err != nil {
		return Material{}, fmt.Errorf("%s: %w", neither, err)
	}
	signer, err := asSigner(key)
	return Material{Keys: []crypto.Signer{signer}, Certificates: append([]*x509.Certificate{cert}, more...)}, err
}

func readPEM(data []byte) (Material, error) {
	var m Material
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			if m.Keys == nil && m.Certificates == nil && m.Lists == nil {
				return m, errors.New("there is no whole PEM block in it")
			}
			return m, nil
		}
		data = rest
		if err := m.addBlock(block); err != nil {
			return Material{}, fmt.Errorf("reading the %q block: %w", block.Type, err)
		}
	}
}

// addBlock adds what a PEM block holds.
func (m *Material) addBlock(block *pem.Block) error {
	if block.Headers["DEK-Info"] != "" || block.Type == "ENCRYPTED PRIVATE KEY" {
		return errors.New(`the key is encrypted: write it without, "openssl pkey -in FILE -out KEY" in a private directory, or make a PKCS #12 file`)
	}
	var key any
	var err error
	switch block.Type {
	case certificateBlock:
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			m.Certificates = append(m.Certificates, cert)
		}
		return err
	case crlBlock:
		var list *x509.RevocationList
		if list, err = x509.ParseRevocationList(block.Bytes); err == nil {
			m.Lists = append(m.Lists, list)
		}
		return err
	case "EC PARAMETERS", consentBlock: // the curve, which the key names as well; consent is given on each machine
		return nil
	case keyBlock:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return errors.New("it is neither a certificate nor a private key")
	}
	if err != nil {
		return err
	}
	signer, err := asSigner(key)
	m.Keys = append(m.Keys, signer)
	return err
}

func asSigner(key any) (crypto.Signer, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", key)
	}
	return signer, nil
}
