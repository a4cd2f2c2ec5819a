package notify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Secret is the key of signatures. It shows itself in no log and no message.
type Secret struct{ key []byte }

const (
	secretPrefix = "whsec_"
	// shortest is what Standard Webhooks asks for: 24 bytes.
	shortest = 24
)

// ParseSecret reads a secret as it stands in a file: one line, with or without an end. The error does not contain it.
func ParseSecret(text []byte) (Secret, error) {
	text = bytes.TrimSpace(text)
	key := bytes.Clone(text)
	if coded, ok := bytes.CutPrefix(text, []byte(secretPrefix)); ok {
		decoded, err := base64.StdEncoding.DecodeString(string(coded))
		if err != nil {
			return Secret{}, errors.New("what stands behind whsec_ is not base64")
		}
		key = decoded
	}
	if bytes.ContainsAny(text, "\r\n") {
		return Secret{}, errors.New("more than one line")
	}
	if len(key) < shortest {
		return Secret{}, fmt.Errorf("only %d bytes, want %d at least: openssl rand -hex 32 makes one", len(key), shortest)
	}
	return Secret{key}, nil
}

// String implements fmt.Stringer, so that a secret that is printed by mistake is not.
func (Secret) String() string { return "secret" }

// GoString implements fmt.GoStringer for the same reason.
func (Secret) GoString() string { return "secret" }

// sign puts the three header fields of Standard Webhooks on a request.
func (s Secret) sign(h http.Header, id string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", timestamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
