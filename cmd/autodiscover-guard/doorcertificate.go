package main

import (
	"crypto/x509"
	"io"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// The certificates of our own doors are somebody else's to renew, such as certbot's. A client that cannot believe one does not come at all, and nothing else would tell of it.

// doorNotice is how long before its end a door's certificate is spoken of: less than what those that live for six days have left when they are renewed.
const doorNotice = 48 * time.Hour

// namedCertificate is a door, the key that names its certificate, and that.
type namedCertificate struct {
	door, key   string
	certificate *x509.Certificate
}

// certificates are those that doors show.
func (p *doorCredentials) certificates() (all []namedCertificate) {
	for _, d := range []struct {
		door, key string
		identity  listenerIdentity
	}{{"proxy", "listen.certificate", p.proxy}, {"admin", "listen.admin_certificate", p.admin}} {
		if d.identity.certificate != nil {
			all = append(all, namedCertificate{d.door, d.key, d.identity.certificate.Leaf})
		}
	}
	return all
}

// warn says of which certificate clients will not believe it, or will not soon.
func (p *doorCredentials) warn(logger *zap.Logger, now time.Time) {
	for _, c := range p.certificates() {
		text := ""
		switch from, until := c.certificate.NotBefore, c.certificate.NotAfter; {
		case now.Before(from):
			text = "a door's certificate is not valid yet, and clients do not believe it"
		case now.After(until):
			text = "a door's certificate has ended, and clients do not believe it; renew it, and send SIGHUP"
		case until.Sub(now) < doorNotice:
			text = "a door's certificate is about to end; renew it, and send SIGHUP"
		default:
			continue
		}
		logger.Warn(text, zap.String("key", c.key), zap.Time("from", c.certificate.NotBefore.UTC()), zap.Time("until", c.certificate.NotAfter.UTC()))
	}
}

// writeDoors writes when the certificates end that are in force.
func (d *credentialStore) writeDoors(w io.Writer) {
	for _, c := range d.current.Load().certificates() {
		metrics.WriteGaugeFloat64(w, console.Series("door_certificate_not_after_timestamp_seconds", "door", c.door), float64(c.certificate.NotAfter.Unix()))
	}
}
