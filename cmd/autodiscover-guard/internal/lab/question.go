package lab

import (
	"context"
	"net/http"
)

// AskAutoDetect makes the question of the incident: it goes to [AutoDetectURL], and address and secret stand in Basic credentials.
func AskAutoDetect(ctx context.Context, address, secret string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, AutoDetectURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(address, secret)
	r.Header.Set("Accept", "*/*")
	r.Header.Set("User-Agent", "curl/8.7.1")
	return r, nil
}
