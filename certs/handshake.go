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

// sizeWarning warns of certificates that have so many names that clients do not take them. None of them says more than that the handshake failed. What leads to former
// roots has names, too, and a leaf for a name that all of them have carries them all.
func sizeWarning(t *tiers) []Warning {
	size, cure := leafRoom, "guard fewer domains, or import an issuing certificate that permits any"
	for _, c := range t.all() {
		size += len(c.Raw)
	}
	if len(t.cross) != 0 {
		cure = fmt.Sprintf("when no client needs one of the %d former roots any more, remove %s and renew; or %s", len(t.cross), formerFile, cure)
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
		cure,
	}}
}
