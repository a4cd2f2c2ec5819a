package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// maxSaved bounds a file with saved exchanges.
const maxSaved = 64 << 20

// readSaved reads a HAR (HTTP Archive 1.2) or raw HTTP messages; "-" is standard input.
func readSaved(name string, stdin io.Reader) ([]saved, error) {
	data, err := slurp(name, stdin)
	if err != nil {
		return nil, err
	}
	text := bytes.TrimLeft(data, "\ufeff \t\r\n")
	var all []saved
	if bytes.HasPrefix(text, []byte("{")) {
		all, err = readHAR(text)
	} else {
		all, err = readRaw(string(text))
	}
	if err != nil {
		return nil, hint(fmt.Errorf("reading %q: %w", name, err), "want a HAR file, or a request followed by its response: curl -v URL >FILE 2>&1 writes both")
	}
	return all, nil
}

func slurp(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxSaved+1))
	if err == nil && len(data) > maxSaved {
		err = fmt.Errorf("reading %q: more than %d MiB", name, maxSaved>>20)
	}
	return data, err
}

// harField is a name and a value in a HAR.
type harField struct{ Name, Value string }

func readHAR(data []byte) ([]saved, error) {
	var har struct {
		Log struct {
			Entries []struct {
				Request struct {
					Method, URL string
					Headers     []harField
					PostData    struct{ Text string }
				}
				Response struct {
					Status  int
					Headers []harField
					Content struct{ Text, Encoding string }
				}
			}
		}
	}
	if err := json.Unmarshal(data, &har); err != nil {
		return nil, err
	}
	if len(har.Log.Entries) == 0 {
		return nil, errors.New("no entries in the HAR")
	}
	var all []saved
	for i, e := range har.Log.Entries {
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("entry %d: no absolute URL", i+1)
		}
		x := saved{request: dialect.Request{Method: e.Request.Method, URL: u, Header: harHeader(e.Request.Headers), Body: []byte(e.Request.PostData.Text)}}
		if e.Response.Status != 0 {
			body := []byte(e.Response.Content.Text)
			if e.Response.Content.Encoding == "base64" {
				if body, err = base64.StdEncoding.DecodeString(e.Response.Content.Text); err != nil {
					return nil, fmt.Errorf("entry %d: content: %w", i+1, err)
				}
			}
			h := harHeader(e.Response.Headers)
			delete(h, "Content-Encoding") // a HAR holds decoded content (HAR 1.2, content.text)
			x.answer = &dialect.Answer{Status: e.Response.Status, Header: h, Body: body}
		}
		all = append(all, x)
	}
	return all, nil
}

func harHeader(fields []harField) dialect.Header {
	h := http.Header{}
	for _, f := range fields {
		if !strings.HasPrefix(f.Name, ":") { // pseudo-header fields of HTTP/2
			h.Add(f.Name, f.Value)
		}
	}
	return dialect.Header(h)
}

// statusLine finds where the response begins.
var statusLine = regexp.MustCompile(`(?m)^HTTP/\d(?:\.\d)? \d{3}`)

// readRaw reads a request and, where there is one, its response; of curl -v as many as it has made.
func readRaw(text string) ([]saved, error) {
	texts := []string{text}
	if strings.Contains(text, "\n> ") || strings.HasPrefix(text, "> ") {
		texts = uncurl(text)
	}
	var all []saved
	for _, text := range texts {
		x, err := readExchange(text)
		if err != nil {
			return nil, err
		}
		if x.request.Method != http.MethodConnect { // of which the guard decides on what is said inside
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it has a CONNECT alone, and nothing that was said in the tunnel")
	}
	return all, nil
}

// readExchange reads one.
func readExchange(text string) (saved, error) {
	requestText, responseText := cutExchange(text)
	request, err := readRequest(requestText)
	if err != nil {
		return saved{}, err
	}
	x := saved{request: request}
	if responseText != "" {
		answer, err := readResponse(responseText, request.Method)
		if err != nil {
			return saved{}, err
		}
		x.answer = &answer
	}
	return x, nil
}

// cutExchange splits a request from its response: behind as much of a body as the request says that it has, because a body need not end with a line, or at the first line that looks like a
// response's where there is none (the length is that of other line ends, or of what was compressed).
func cutExchange(text string) (request, response string) {
	head, body := cutHead(text)
	if says := contentLength.FindStringSubmatch(head); says != nil {
		if n, err := strconv.Atoi(says[1]); err == nil && n < len(body) {
			rest := strings.TrimLeft(body[n:], "\r\n")
			if at := statusLine.FindStringIndex(rest); at != nil && at[0] == 0 {
				return text[:len(text)-len(rest)], rest
			}
		}
	}
	if at := statusLine.FindStringIndex(text); at != nil {
		return text[:at[0]], text[at[0]:]
	}
	return text, ""
}

var contentLength = regexp.MustCompile(`(?im)^Content-Length:[ \t]*(\d+)[ \t]*\r?$`)

// uncurl takes the marks of curl -v off: "> " before a request, "< " before a response's header, "* " before talk. There are several where curl asks a proxy for a
// tunnel, follows a redirect, or logs in. Of a response that is not the last (100), which curl 7.88.1 ends with no empty line, nothing is kept.
func uncurl(text string) []string {
	var all []string
	var out strings.Builder
	asked, interim := false, false
	for line := range strings.Lines(text) {
		line = curlProgress.ReplaceAllString(line, "")
		mark := strings.TrimRight(line, "\r\n")
		if curlRequest.MatchString(line) {
			if asked {
				all = append(all, out.String())
				out.Reset()
			}
			asked = true
		}
		if strings.HasPrefix(line, "< HTTP/") {
			interim = curlInterim.MatchString(line)
		}
		switch {
		case interim && (strings.HasPrefix(line, "< ") || mark == "<"):
		case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "< "):
			out.WriteString(line[2:])
		case mark == ">", mark == "<":
			out.WriteString("\r\n")
		case strings.HasPrefix(line, "* "), meterHead.MatchString(line):
		default:
			out.WriteString(line)
		}
	}
	return append(all, out.String())
}

// How curl -v begins a request, and a response that is not the last (RFC 9110, section 15.2; 101 ends HTTP).
var (
	curlRequest = regexp.MustCompile(`^> [A-Z]+ \S+ HTTP/\d`)
	curlInterim = regexp.MustCompile(`^< HTTP/\d(?:\.\d)? 1(?:0[02-9]|[1-9]\d)`)
)

// curlProgress is what curl -v says where its output goes to a file, too: how much has come, and its progress meter, which begins with a carriage return and
// ends anywhere. Both stand in the midst of a line where a part of the body without an end of a line was written before (curl 7.88.1).
var curlProgress = regexp.MustCompile(`[{}] \[\d+ bytes data\]\r?\n|\r *\d+(?: +[\d.]+[kMGTP]?){7}(?: +[-:\ddhy]+){3} +[\d.]+[kMGTP]?\n?`)

// meterHead is the head of the meter's columns.
var meterHead = regexp.MustCompile(`^ *(?:% Total|Dload) `)

// httpVersion writes "HTTP/2 200" and "GET / HTTP/2" the way that net/http reads them.
var httpVersion = regexp.MustCompile(`(?m)(^HTTP/|^\S+ \S+ HTTP/)([23])(\s)`)

func readRequest(text string) (dialect.Request, error) {
	head, body := cutHead(text)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(httpVersion.ReplaceAllString(head, "${1}${2}.0${3}"))))
	if err != nil {
		return dialect.Request{}, fmt.Errorf("request: %w", unquoted(err))
	}
	if r.URL.Host == "" {
		r.URL.Scheme, r.URL.Host = "https", r.Host
	}
	if r.URL.Host == "" {
		return dialect.Request{}, errors.New("request: neither an absolute URL nor a Host field")
	}
	return dialect.Request{Method: r.Method, URL: r.URL, Header: dialect.Header(r.Header), Body: []byte(strings.TrimRight(body, "\r\n"))}, nil
}

func readResponse(text, method string) (dialect.Answer, error) {
	head, body := cutHead(text)
	head = httpVersion.ReplaceAllString(head, "${1}${2}.0${3}")
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head+body)), &http.Request{Method: method})
	if err != nil {
		return dialect.Answer{}, fmt.Errorf("response: %w", unquoted(err))
	}
	defer r.Body.Close()
	framed, err := io.ReadAll(r.Body)
	if err != nil || r.ContentLength > int64(len(framed)) { // saved without its chunks, as most tools do
		framed = []byte(body)
	}
	return dialect.Answer{Status: r.StatusCode, Header: dialect.Header(r.Header), Body: framed}, nil
}

// unquoted is an error of net/http without the line that it quotes, or the URL: it may have a password, and who shows a message about it, in a CI job's log, say,
// thinks of no such thing.
func unquoted(err error) error {
	if errors.As(err, new(*url.Error)) {
		return errors.New("its URL cannot be read")
	}
	if what, _, quotes := strings.Cut(err.Error(), `"`); quotes {
		return errors.New(strings.TrimRight(what, ": "))
	}
	return err
}

// cutHead splits a message behind its header and gives the header the line ends that the standard asks for.
func cutHead(text string) (head, body string) {
	text = strings.TrimLeft(text, "\r\n")
	end := strings.Index(text, "\n\n")
	if i := strings.Index(text, "\r\n\r\n"); i >= 0 && (end < 0 || i < end) {
		end = i
	}
	if end < 0 {
		return lines(text), ""
	}
	head, body = text[:end], strings.TrimLeft(text[end:end+2], "\r\n")+text[end+2:]
	if strings.HasPrefix(text[end:], "\r\n\r\n") {
		body = text[end+4:]
	}
	return lines(head), body
}

func lines(head string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimRight(head, "\r\n"), "\r\n", "\n"), "\n", "\r\n") + "\r\n\r\n"
}
