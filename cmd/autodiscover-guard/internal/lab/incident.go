package lab

import (
	"maps"
	"net/http"
	"strconv"
)

// What the incident's question looked like.
const (
	// AutoDetectHost is the host that was asked.
	AutoDetectHost = "prod.autodetect.outlook.cloud.microsoft"
	// AutoDetectURL is the URL that was asked. It does not say for whom: only the credentials do.
	AutoDetectURL = "https://" + AutoDetectHost + "/autodetect/detect?app=outlookdesktopBasic"
	// IncidentAddress is the account that was asked about, on a domain that RFC 2606 reserves for documentation.
	IncidentAddress = "email@example.com"
	// IncidentSecret is the password that was sent with the question.
	IncidentSecret = "password"
)

// The servers of an unrelated company that the answer suggested.
const (
	IncidentIMAP = "imapgms.jnet.sei.co.jp"
	IncidentSMTP = "smtpgms.jnet.sei.co.jp"
)

// incidentProvider and incidentSignature cannot be derived: the name of a record in the service's database, and the signature that it put
// under its feedback token.
const (
	incidentProvider  = "seeatest"
	incidentSignature = "-ohD7c9hytRZK_b4EJ0M5Tke7hl8u1wjsMYRV71GZik"
)

// Answer is a whole HTTP answer. As a handler it gives itself, whatever it is asked. Its fields may be changed until it is served.
type Answer struct {
	Status int
	// Header holds the fields under canonical names, without those that a server adds by itself (Date, Content-Length).
	Header http.Header
	Body   []byte
}

// Incident is the answer that Microsoft's AutoDetect service gave for email@example.com on Mon, 08 Dec 2025 21:32:58 GMT: status, header
// fields and body as captured (tinyapps.org, "Microsoft mishandling example.com"). Each call makes a new one.
func Incident() Answer {
	return detected(IncidentAddress, "example.com", incidentOffers(), incidentSignature)
}

// ServeHTTP writes the answer.
func (a Answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	maps.Copy(w.Header(), a.Header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	w.Write(a.Body) //nolint:errcheck // a client that is gone is its own business
}

func incidentOffers() []offer {
	return []offer{
		{protocol: "imap", host: IncidentIMAP, port: 993},
		{protocol: "smtp", host: IncidentSMTP, port: 465},
	}
}
