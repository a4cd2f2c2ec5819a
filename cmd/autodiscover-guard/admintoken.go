package main

import (
	"fmt"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// readAdminToken reads the token; the zero one where there is none.
func readAdminToken(c *config.Listen) (console.Token, error) {
	const key = "listen.admin_token_file"
	if c.AdminTokenFile == "" {
		return console.Token{}, nil
	}
	text, err := readPrivate(key, c.AdminTokenFile)
	if err != nil {
		return console.Token{}, err
	}
	token, err := console.ParseToken(text)
	if err != nil {
		return token, fmt.Errorf("%s: %s: %w", key, c.AdminTokenFile, err)
	}
	return token, nil
}
