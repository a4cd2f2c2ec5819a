package main

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// What a door shows is spoken of when clients do not believe it, or soon will not.
func TestDoorCredentials_warn(t *testing.T) {
	t.Parallel()
	_, certificate := selfSigned(t, "door")
	from := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	leaf := *certificate.Leaf
	leaf.NotBefore, leaf.NotAfter = from, from.Add(6*24*time.Hour)
	door := listenerIdentity{certificate: &tls.Certificate{Leaf: &leaf}}
	for age, want := range map[time.Duration]string{
		-time.Minute:               "not valid yet",
		0:                          "",
		3 * 24 * time.Hour:         "", // renewed by now
		4*24*time.Hour - 1:         "",
		4*24*time.Hour + 1:         "about to end",
		6*24*time.Hour + time.Hour: "has ended",
	} {
		for key, p := range map[string]*doorCredentials{"listen.certificate": {proxy: door}, "listen.admin_certificate": {admin: door}} {
			core, logged := observer.New(zap.WarnLevel)
			p.warn(zap.New(core), from.Add(age))
			if said := logged.All(); want == "" && len(said) > 0 || want != "" && (len(said) != 1 || !strings.Contains(said[0].Message, want) || said[0].ContextMap()["key"] != key) {
				t.Errorf("%s, %v: %v", key, age, said)
			}
		}
	}
	core, logged := observer.New(zap.WarnLevel)
	new(doorCredentials).warn(zap.New(core), from)
	if logged.Len() > 0 {
		t.Errorf("without TLS: %v", logged.All())
	}
}
