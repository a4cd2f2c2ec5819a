package main

import (
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// TestTargetOf_proxy: programs that go by the environment must be able to speak with the door.
func TestTargetOf_proxy(t *testing.T) {
	for want, listen := range map[string]config.Listen{
		"http://127.0.0.1:8080":       {Proxy: "127.0.0.1:8080", Name: "guard.lab.test"},
		"http://127.0.0.1:8081":       {Proxy: "[::]:8081"},
		"https://127.0.0.1:8443":      {Proxy: "127.0.0.1:8443", Certificate: "door.pem"},
		"https://guard.lab.test:8443": {Proxy: "[::]:8443", Certificate: "door.pem", Name: "guard.lab.test"},
		"":                            {Proxy: "127.0.0.1:0"},
	} {
		listen.Admin = "127.0.0.1:8082"
		if got, err := targetOf(t.TempDir(), &config.Config{Listen: listen}, ""); err != nil || got.Proxy != want {
			t.Errorf("%+v: %q, %v, want %q", listen, got.Proxy, err, want)
		}
	}
}
