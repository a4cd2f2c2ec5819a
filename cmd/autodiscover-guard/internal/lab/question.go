package lab

import (
	"bytes"
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

// AskPOX makes the first question of an Exchange client: a POST of address to url, with address and secret in Basic credentials. An
// empty secret leaves the credentials out.
func AskPOX(ctx context.Context, url, address, secret string) (*http.Request, error) {
	body := marshalXML(poxQuestion{Space: poxRequestSchema, Address: address, Schema: poxResponseSchema})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if secret != "" {
		r.SetBasicAuth(address, secret)
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	return r, nil
}
