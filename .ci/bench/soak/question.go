package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

const (
	pagePath   = "/page"
	detectPath = "/autodetect/detect"
	poxPath    = "/autodiscover/autodiscover.xml"
	configPath = "/mail/config-v1.1.xml"
	stranger   = "imapgms.jnet.sei.co.jp"
)

// page is a text that nobody else gets: its length and its bytes come from the nonce.
func page(nonce string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(nonce))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	return nonce + "\n" + strings.Repeat(fmt.Sprintf("%016x\n", r.Uint64()), r.IntN(2000))
}

// document is what a service says about an account. Only the domain decides whether a stranger is named.
func document(path, account string) (text, kind string) {
	hosts := []string{"imap." + domainOf(account), stranger}
	switch domainOf(account) {
	case "own.test", "corp-mail.net":
		hosts = hosts[:1]
	}
	var entries strings.Builder
	for i, host := range hosts {
		switch path {
		case detectPath:
			if i > 0 {
				entries.WriteByte(',')
			}
			fmt.Fprintf(&entries, `{"protocol":"imap","hostname":%q,"port":993,"encryption":"ssl","username":%q,"validated":false}`, host, account)
		case poxPath:
			fmt.Fprintf(&entries, `<Protocol><Type>IMAP</Type><Server>%s</Server><Port>993</Port><LoginName>%s</LoginName><SSL>on</SSL></Protocol>`, host, account)
		default:
			fmt.Fprintf(&entries, `<incomingServer type="imap"><hostname>%s</hostname><port>993</port><socketType>SSL</socketType><authentication>password-cleartext</authentication><username>%s</username></incomingServer>`, host, account)
		}
	}
	switch path {
	case detectPath:
		return fmt.Sprintf(`{"email":%q,"services":[],"protocols":[%s]}`, account, entries.String()), "application/json; charset=utf-8"
	case poxPath:
		return `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
			`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account><AccountType>email</AccountType><Action>settings</Action>` +
			entries.String() + `</Account></Response></Autodiscover>`, "text/xml; charset=utf-8"
	}
	return `<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="` + domainOf(account) + `"><domain>` + domainOf(account) +
		`</domain><displayName>` + account + `</displayName>` + entries.String() + `</emailProvider></clientConfig>`, "text/xml; charset=utf-8"
}

// question is one thing that a client asks, and what it must hear.
type question struct {
	host, path, account string
	wrong               func(status int, body string) string // says what is wrong with an answer; "" is nothing
	cut                 bool                                 // an error is as good
}

// questions are all kinds. A question without an account is no discovery, and not recorded.
var questions = []func(nonce string) question{
	func(n string) question { return exactly(bank, pagePath, "", page(n)) },
	func(n string) question { return exactly(central, pagePath, "", page(n)) },
	func(n string) question { return told(central, detectPath, n+"@corp-mail.net") },
	func(n string) question { return told(central, detectPath, n+"@own.test") },
	func(n string) question { return edited(central, detectPath, n+"@lab.test") },
	func(n string) question {
		return exactly(central, detectPath, n+"@example.com", fmt.Sprintf(`{"email":%q,"services":[],"protocols":[]}`, n+"@example.com"))
	},
	func(n string) question { return edited(labHost, poxPath, n+"@lab.test") },
	func(n string) question { return edited(labConfig, configPath, n+"@lab.test") },
	func(n string) question { return refused(docHost, poxPath, n+"@example.com") },
	func(n string) question {
		q := exactly(central, detectPath, n+"@cut.test", fmt.Sprintf(`{"email":%q,"services":[],"protocols":[]}`, n+"@cut.test"))
		return q
	},
	func(n string) question {
		return question{host: central, path: detectPath, account: n + "@cut-mail.net", cut: true, wrong: func(status int, body string) string {
			if status == http.StatusOK {
				return fmt.Sprintf("half an answer looks whole: %.200q", body)
			}
			return ""
		}}
	},
}

func exactly(host, path, account, want string) question {
	return question{host: host, path: path, account: account, wrong: func(status int, body string) string {
		if status != http.StatusOK || body != want {
			return fmt.Sprintf("got %d, %d bytes %.200q; want %d bytes %.200q", status, len(body), body, len(want), want)
		}
		return ""
	}}
}

// told is a question whose answer is not changed.
func told(host, path, account string) question {
	text, _ := document(path, account)
	return exactly(host, path, account, text)
}

// edited is a question in whose answer a stranger stands beside the own host.
func edited(host, path, account string) question {
	return question{host: host, path: path, account: account, wrong: func(status int, body string) string {
		if status != http.StatusOK || strings.Contains(body, stranger) || !strings.Contains(body, "imap."+domainOf(account)) || !strings.Contains(body, account) {
			return fmt.Sprintf("got %d %.400q", status, body)
		}
		return ""
	}}
}

// refused is a question that is answered without asking anybody.
func refused(host, path, account string) question {
	return question{host: host, path: path, account: account, wrong: func(status int, body string) string {
		if status != http.StatusOK || !strings.Contains(body, "<ErrorCode>") {
			return fmt.Sprintf("got %d %.400q", status, body)
		}
		return ""
	}}
}

// request is the question as it is sent.
func (q question) request(scheme, nonce string) (*http.Request, error) {
	u := url.URL{Scheme: scheme, Host: q.host, Path: q.path}
	switch q.path {
	case pagePath:
		u.RawQuery = "n=" + nonce
	case configPath:
		u.RawQuery = url.Values{"emailaddress": {q.account}}.Encode()
	case poxPath:
		r, err := http.NewRequest(http.MethodPost, u.String(), strings.NewReader(`<?xml version="1.0" encoding="utf-8"?>`+
			`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>`+q.account+
			`</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`))
		if err == nil {
			r.Header.Set("Content-Type", "text/xml; charset=utf-8")
		}
		return r, err
	}
	r, err := http.NewRequest(http.MethodGet, u.String(), http.NoBody)
	if err == nil && q.path == detectPath {
		r.SetBasicAuth(q.account, "correct-horse-battery")
	}
	return r, err
}
