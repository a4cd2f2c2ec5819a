package certs

import "fmt"

// What programs take of one message in a handshake, in bytes, where nobody has told them otherwise. The chain is one.
const (
	// smallMessage is Java's (jdk.tls.maxHandshakeMessageSize of OpenJDK 17) and, by its documentation, that of Windows (MessageLimitClient).
	smallMessage = 32 << 10
	// largeMessage is OpenSSL's (SSL_MAX_CERT_LIST_DEFAULT of 3.0). GnuTLS and NSS take more.
	largeMessage = 100 << 10
	// leafRoom is for a leaf, and for what is around the certificates.
	leafRoom = 1 << 10
)

// sizeWarning warns of an issuing certificate that has so many names that clients do not take it. None of them says more than that the handshake failed.
func sizeWarning(t *tiers) []Warning {
	size := leafRoom
	for _, c := range t.signers() {
		size += len(c.Raw)
	}
	level := LevelWarning
	switch {
	case size <= smallMessage:
		return nil
	case size > largeMessage:
		level = LevelUrgent
	}
	return []Warning{{
		level, fmt.Sprintf("%d names make %d KiB of certificates in each handshake; Windows and Java take 32 KiB, OpenSSL takes 100", len(t.names()), size>>10),
		"guard fewer domains, or import an issuing certificate that permits any",
	}}
}
