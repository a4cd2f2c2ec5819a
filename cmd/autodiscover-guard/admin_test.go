package main

import (
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// What is put into certificates must be an address at which their clients find this guard, now and in 90 days.
func TestRevocationAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen config.Listen
		want   string
	}{
		{config.Default().Listen, "http://127.0.0.1:8081"},
		{config.Listen{Proxy: "127.0.0.1:0", Admin: "[::1]:8081"}, "http://[::1]:8081"},
		{config.Listen{Proxy: "127.0.0.1:8080", Admin: "127.0.0.1:0"}, ""},
		{config.Listen{Proxy: "127.0.0.1:8080", Admin: ""}, ""},
		{config.Listen{Proxy: "192.0.2.1:8080", Admin: "127.0.0.1:8081"}, ""},
		{config.Listen{Proxy: "127.0.0.1:8080", Admin: "192.0.2.1:8081"}, ""},
		{config.Listen{Proxy: "192.0.2.1:8080", Admin: "127.0.0.1:8081", AdminURL: "http://gateway.corp.example"}, "http://gateway.corp.example"},
	} {
		if got := revocationAddress(&config.Config{Listen: c.listen}); got != c.want {
			t.Errorf("%+v: %q, want %q", c.listen, got, c.want)
		}
	}
}
