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
		{config.Listen{Proxy: "192.0.2.1:8080", Admin: "192.0.2.1:8081", AdminURL: "https://gateway.corp.example:8081"}, "http://gateway.corp.example:8081"},
		{config.Listen{Proxy: "192.0.2.1:8080", Admin: "192.0.2.1:443", AdminURL: "https://gateway.corp.example"}, "http://gateway.corp.example:443"},
		{config.Listen{Proxy: "192.0.2.1:8080", Admin: "[2001:db8::1]:443", AdminURL: "https://[2001:db8::1]"}, "http://[2001:db8::1]:443"},
	} {
		if got := revocationAddress(&config.Config{Listen: c.listen}); got != c.want {
			t.Errorf("%+v: %q, want %q", c.listen, got, c.want)
		}
	}
}

// Who speaks TLS is reached by a name, which is what certificates have.
func TestAdminBase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen        config.Listen
		address, want string
	}{
		{config.Listen{}, "127.0.0.1:8081", "http://127.0.0.1:8081"},
		{config.Listen{AdminURL: "http://gateway.corp.example"}, "127.0.0.1:8081", "http://127.0.0.1:8081"},
		{config.Listen{AdminCertificate: "x"}, "192.0.2.1:8081", "https://192.0.2.1:8081"},
		{config.Listen{AdminCertificate: "x", Name: "guard.lab.test"}, "192.0.2.1:8081", "https://guard.lab.test:8081"},
		{config.Listen{AdminCertificate: "x", Name: "2001:db8::1"}, "[::]:8081", "https://[2001:db8::1]:8081"},
		{config.Listen{AdminCertificate: "x", Name: "guard.lab.test", AdminURL: "https://gateway.corp.example"}, "192.0.2.1:8081", "https://gateway.corp.example"},
	} {
		if got := adminBase(&c.listen, c.address); got != c.want {
			t.Errorf("%+v: %q, want %q", c.listen, got, c.want)
		}
	}
}
