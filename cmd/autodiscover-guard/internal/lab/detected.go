package lab

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The documents of an AutoDetect answer. The order of the fields is the order on the wire, and what the capture has as null is null here.

type detectSettings struct {
	Email     string           `json:"email"`
	Services  []struct{}       `json:"services"`
	Protocols []detectProtocol `json:"protocols"`
}

type detectProtocol struct {
	Protocol   string `json:"protocol"`
	Hostname   string `json:"hostname"`
	Port       int    `json:"port"`
	Encryption string `json:"encryption"`
	Username   string `json:"username"`
	Validated  bool   `json:"validated"`
}

type detectReasoning struct {
	Decision string `json:"decision"`
	AutoD    struct {
		V2 *string `json:"v2"`
		V1 *string `json:"v1"`
	} `json:"autoD"`
	DB struct {
		Provider detectProvider `json:"provider"`
		Domain   struct {
			Fixed           bool    `json:"fixed"`
			AutoDv2Endpoint *string `json:"autoDv2Endpoint"`
			ProviderID      string  `json:"providerId"`
			Protocols       *string `json:"protocols"`
		} `json:"domain"`
	} `json:"db"`
}

type detectProvider struct {
	DomainID        *string        `json:"DomainId"`
	ID              string         `json:"Id"`
	Service         *string        `json:"Service"`
	Protocols       []detectRecord `json:"Protocols"`
	CreatedAt       string         `json:"CreatedAt"`
	UpdatedAt       string         `json:"UpdatedAt"`
	Predicates      *string        `json:"Predicates"`
	AutoDv2Endpoint *string        `json:"AutoDv2Endpoint"`
	Comment         *string        `json:"Comment"`
	Feedbacks       *string        `json:"Feedbacks"`
	IsCrowdsourced  bool           `json:"IsCrowdsourced"`
}

type detectRecord struct {
	Protocol       string  `json:"protocol"`
	Domain         *string `json:"Domain"`
	Hostname       string  `json:"Hostname"`
	Port           int     `json:"Port"`
	Encryption     string  `json:"Encryption"`
	IsCrowdsourced *bool   `json:"IsCrowdsourced"`
	Feedbacks      *string `json:"Feedbacks"`
	Insecure       *string `json:"Insecure"`
	Secure         string  `json:"Secure"`
	Username       string  `json:"Username"`
	Validated      bool    `json:"Validated"`
	Autodiscover   *string `json:"Autodiscover"`
	Aad            *string `json:"Aad"`
}

type feedbackHead struct {
	Type      string `json:"typ"`
	Algorithm string `json:"alg"`
}

type feedbackClaims struct {
	Domain    string     `json:"D"`
	Provider  string     `json:"PI"`
	Services  []struct{} `json:"S"`
	Protocols []string   `json:"P"`
	Types     string     `json:"PT"`
	Expires   int64      `json:"exp"`
	Issued    int64      `json:"iat"`
}

// feedback is a JSON Web Token over what was suggested, issued at the second of the capture and good for an hour.
func feedback(domain, provider string, offers []offer, signature string) string {
	const issued = 1765229578
	c := feedbackClaims{Domain: domain, Provider: provider, Services: []struct{}{}, Expires: issued + 3600, Issued: issued}
	var types []string
	for _, o := range offers {
		c.Protocols = append(c.Protocols, fmt.Sprintf("%ss://%s:%d", o.protocol, o.host, o.port))
		if !slices.Contains(types, o.protocol) {
			types = append(types, o.protocol)
		}
	}
	c.Types = strings.Join(types, " ")
	encode := base64.RawURLEncoding.EncodeToString
	return encode(marshalCompact(feedbackHead{Type: "JWT", Algorithm: "HS256"})) + "." + encode(marshalCompact(c)) + "." + signature
}

// sign makes a signature of the right shape; nobody can check it, and nobody is meant to.
func sign(domain string) string {
	mac := hmac.New(sha256.New, []byte("lab"))
	mac.Write([]byte(domain))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// marshalCompact writes JSON the way the service does: no spaces, and > as it is.
func marshalCompact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only the types above come here, and they have no way to fail
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
