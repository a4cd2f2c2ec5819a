package intercept

import (
	"strings"
	"testing"
)

// What may be read in one way passes to its end, in one piece or byte by byte, and leaves the reader where the next thing begins. net/http turns much of the rest down, too, but need not.
func TestStrict_scan(t *testing.T) {
	const ok, chunks = "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	length := func(value string) string { return ok + "Content-Length: " + value + "\r\n\r\n" }
	for text, want := range map[string]strictState{
		ok + "\r\n": awaitsRequest, "\r\n" + ok + "\r\n": awaitsRequest, ok + "\r\n" + ok + "\r\n" + ok: awaitsField, "GET / HTTP/1.0\r\n\r\n": awaitsRequest,
		"GET /a://b HTTP/1.1\r\nHost: h\r\n\r\n": awaitsRequest, "GET http://h HTTP/1.1\r\nHost: H.:80\r\n\r\n": awaitsRequest, "GET http://h?/ HTTP/1.1\r\nHost: h:\r\n\r\n": awaitsRequest, "CONNECT h:1 HTTP/1.1\r\nHost:\r\n\r\n": awaitsNothing,
		"\x16\x03\x01": awaitsNothing, "CONNECT h:443 HTTP/1.1\r\n\r\n\x00\n": awaitsNothing, ok + "Upgrade: x\r\n\r\n\x00\n": awaitsNothing,
		"OPTIONS * HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n": awaitsRequest, ok + "Upgrade: x\r\nContent-Length: 1\r\n\r\n\n": awaitsRequest,
		ok + "Upgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n": awaitsChunk,

		length("0"): awaitsRequest, length("2") + "\n\r": awaitsRequest, length("3") + "\n\r": awaitsBody, length("000000000000000002") + "xx": awaitsRequest,
		length("2") + "xx" + length("1") + "x" + ok: awaitsField, length("999999999999999999"): awaitsBody,
		chunks + "2;a=b\r\n\n\r\r\n1 \t\r\nx\r\n0\r\n": awaitsTrailer, chunks + "0\r\nHost: x\r\nContent-Length: x\r\n\r\n" + ok: awaitsField, chunks + "A\r\n0123456789\r\n": awaitsChunk,
		chunks + "0000000000000001\r\nx": awaitsChunkEnd, chunks + "3fffffffffffffff\r\nx": awaitsChunkData,
	} {
		var whole, pieces strict
		n := whole.scan([]byte(text))
		for i := range len(text) {
			pieces.scan([]byte(text[i : i+1]))
		}
		if n != len(text) || whole.err != nil || whole.state != want || pieces.err != nil || pieces.state != want {
			t.Errorf("%q: %d pass of %d, %v, then %d; in pieces %v, then %d; want %d", text, n, len(text), whole.err, whole.state, pieces.err, pieces.state, want)
		}
	}
	// What stands before | passes, what follows does not.
	for _, text := range []string{
		"|\n", "|GET\r\n", "|GET /\r\n", "| / HTTP/1.1\r\n", "|GET  HTTP/1.1\r\n", "|GET / HTTP/1.1 \r\n", "|GET /\vHTTP/1.1 HTTP/1.1\r\n", "|GET /\f HTTP/1.1\r\n", "|GET / HTTP/1.2\r\n", "|GET / HTTP/2.0\r\n", "|PRI * HTTP/2.0\r\n", "|GET / HTTP/1.1\n", "|GET /\r HTTP/1.1\r\n", "|GET /\x00 HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\n|\r\n", "POST / HTTP/1.1\r\n|\r\n", "GET http://h/ HTTP/1.0\r\nHost: other\r\n|\r\n", "GET h://h?x/ HTTP/1.1\r\nHost: other\r\n|\r\n", "GET http://h/ HTTP/1.1\r\nHost:\r\n|\r\n", "CONNECT h:1 HTTP/1.1\r\nHost: h:2\r\n|\r\n",
		ok + "|Host: h\r\n", ok + "|X\r\n", ok + "|: x\r\n", ok + "| x: y\r\n", ok + "|\tx: y\r\n", ok + "|x : y\r\n", ok + "|x\x7f: y\r\n", ok + "|x: y\n", ok + "|x: \ry\r\n", ok + "|x: \x00\r\n", ok + "|\n",
		ok + "|Content-Length: \r\n", ok + "|Content-Length: +1\r\n", ok + "|Content-Length: 1,1\r\n", ok + "|Content-Length: 0x1\r\n", ok + "|Content-Length: 0000000000000000001\r\n", ok + "Content-Length: 1\r\n|Content-Length: 1\r\n",
		ok + "Transfer-Encoding: chunked\r\n|Transfer-Encoding: chunked\r\n", ok + "|Transfer-Encoding: gzip\r\n", "GET / HTTP/1.0\r\n|Transfer-Encoding: chunked\r\n",
		ok + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n|\r\n", ok + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n|\r\n",
		chunks + "|\r\n", chunks + "|+1\r\n", chunks + "|-1\r\n", chunks + "|0x1\r\n", chunks + "|g\r\n", chunks + "| 1\r\n", chunks + "|1\n", chunks + "|00000000000000001\r\n", chunks + "|4000000000000000\r\n", chunks + "|;\r\n",
		chunks + "1\r\nx|y\r\n", chunks + "1\r\nx|\n", chunks + "0\r\n|X\r\n", chunks + "0\r\n|: x\r\n", chunks + "0\r\n|X : y\r\n", chunks + "0\r\n|\n",
		chunks + "0\r\n\r\n|\n", length("1") + "x|\n",
	} {
		passes, _, _ := strings.Cut(text, "|")
		text = strings.Replace(text, "|", "", 1)
		var s strict
		if n := s.scan([]byte(text + ok)); n != len(passes) || s.err == nil {
			t.Errorf("%q: %d pass, want %d; %v", text, n, len(passes), s.err)
		}
	}
}

// Inside a tunnel a target may lack the port that the tunnel leads to, and who means somebody else is answered so later.
func TestStrict_scanInTunnel(t *testing.T) {
	for text, passes := range map[string]bool{
		"GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n": true, "GET https://h:443/ HTTP/1.1\r\nHost: h\r\n\r\n": true, "GET https://h/ HTTP/1.1\r\nHost: h:443\r\n\r\n": true,
		"GET https://other/ HTTP/1.1\r\nHost: h\r\n\r\n": true, "GET / HTTP/1.1\r\nHost: other\r\n\r\n": true,
		"GET https://h/ HTTP/1.1\r\nHost: other\r\n\r\n": false, "GET https://h/ HTTP/1.1\r\nHost: h:80\r\n\r\n": false,
	} {
		s := strict{tunnelTarget: target{host: "h", port: 443}}
		if s.scan([]byte(text)); (s.err == nil) != passes {
			t.Errorf("%q: %v", text, s.err)
		}
	}
}

// A line without an end is held up to a bound.
func TestStrict_scanWithoutEnd(t *testing.T) {
	s := strict{line: make([]byte, maxStrictLine-1)}
	if n := s.scan([]byte("x")); n != 1 || s.err != nil {
		t.Errorf("up to the bound %d bytes pass, %v", n, s.err)
	}
	if n := s.scan([]byte("x")); n != 0 || s.err == nil {
		t.Errorf("beyond the bound %d bytes pass, %v", n, s.err)
	}
}
