package lab

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// AutoDetect answers /autodetect/detect and /detect as Outlook's AutoDetect service does. The account stands in the user name of Basic
// credentials, with or without a colon behind it, or in X-Email; a question without an account is a bad request.
func AutoDetect() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/autodetect/detect", serveAutoDetect)
	mux.HandleFunc("/detect", serveAutoDetect)
	return mux
}

func serveAutoDetect(w http.ResponseWriter, r *http.Request) {
	address := account(r)
	domain := domainOf(address)
	if domain == "" {
		http.Error(w, "no account named", http.StatusBadRequest)
		return
	}
	signature := sign(domain)
	if domain == "example.com" {
		signature = incidentSignature
	}
	detected(address, domain, offersFor(domain), signature).ServeHTTP(w, r)
}

// account is the mail address that a question is about. net/http's own BasicAuth wants a colon, which some clients leave out.
func account(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Basic") {
		token = strings.TrimRight(strings.TrimSpace(token), "=")
		if plain, err := base64.RawStdEncoding.DecodeString(token); err == nil {
			user, _, _ := strings.Cut(string(plain), ":")
			if domainOf(user) != "" {
				return user
			}
		}
	}
	return strings.TrimSpace(r.Header.Get("X-Email"))
}

// detected is an AutoDetect answer with everything around it. Two header fields repeat the servers of the body: x-debug-support is the
// service's own reasoning in base64, x-feedback-token a signed list of what was suggested.
func detected(address, domain string, offers []offer, signature string) Answer {
	provider := incidentProvider
	if domain != "example.com" {
		provider = "lab"
	}
	h := http.Header{}
	for name, value := range map[string]string{
		"Content-Type":              "application/json; charset=utf-8",
		"Server":                    "Kestrel",
		"Strict-Transport-Security": "max-age=2592000",
		"X-Olm-Source-Endpoint":     "/detect",
		"X-Provider-Id":             provider,
		"X-Debug-Support":           base64.StdEncoding.EncodeToString(marshalCompact(reasoning(provider, offers))),
		"X-Autodv2-Error":           "ENOTFOUND",
		"X-Feedback-Token":          feedback(domain, provider, offers, signature),
		"X-Dns-Prefetch-Control":    "off",
		"X-Frame-Options":           "SAMEORIGIN",
		"X-Download-Options":        "noopen",
		"X-Content-Type-Options":    "nosniff",
		"X-Xss-Protection":          "1; mode=block",
		"X-Instance-Id":             "autodetect-deployment-76fffc487d-wfs4b",
		"X-Response-Time":           "3472 ms",
		"X-Request-Id":              "f1b6525f-6d11-4add-a0e4-0b677d89f9eb",
		"X-Autodetect-Cv":           "f1b6525f-6d11-4add-a0e4-0b677d89f9eb",
	} {
		h.Set(name, value)
	}
	return Answer{Status: http.StatusOK, Header: h, Body: marshalCompact(settings(address, offers))}
}

func settings(address string, offers []offer) detectSettings {
	s := detectSettings{Email: address, Services: []struct{}{}}
	for _, o := range offers {
		s.Protocols = append(s.Protocols, detectProtocol{
			Protocol: o.protocol, Hostname: o.host, Port: o.port, Encryption: "ssl", Username: address,
		})
	}
	return s
}

// reasoning lists the servers in the opposite order of the body, as the incident did.
func reasoning(provider string, offers []offer) detectReasoning {
	var r detectReasoning
	r.Decision = "autoDv2 > autoDv1 > fixed db provider > fixed db domain protocols > db provider > db domain protocols"
	r.DB.Provider.ID = provider
	r.DB.Provider.CreatedAt = "2020-02-03T05:31:23.2980248"
	r.DB.Provider.UpdatedAt = "2020-02-03T09:12:59.024587"
	r.DB.Domain.ProviderID = provider
	for _, o := range slices.Backward(offers) {
		r.DB.Provider.Protocols = append(r.DB.Provider.Protocols, detectRecord{
			Protocol: o.protocol, Hostname: o.host, Port: o.port, Encryption: "Ssl", Secure: "True", Username: "{email}",
		})
	}
	return r
}
