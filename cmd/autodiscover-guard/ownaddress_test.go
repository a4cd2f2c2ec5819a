package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ownNames are spellings of this computer's own address, with the statuses that are right for each: 508 where it leads to us, 502 where no
// resolver makes an address of it or nobody listens there, 403 and 400 where it is refused for its form.
var ownNames = []struct {
	host string
	want []int
}{
	{"127.0.0.1", []int{508}},
	{"localhost", []int{508}},
	{"LOCALHOST.", []int{508}},
	{"0.0.0.0", []int{508}},
	{"[::]", []int{508}},
	{"[::ffff:127.0.0.1]", []int{508}},
	{"[0:0:0:0:0:ffff:7f00:1]", []int{508}},
	{"[::1]", []int{508, 502}},
	{"127.1", []int{508, 502}},
	{"2130706433", []int{508, 502}},
	{"0x7f000001", []int{508, 502}},
	{"0177.0.0.1", []int{508, 502}},
	{"[fe80::1%25lo]", []int{400}},
}

// turnsBack asks a proxy for each name of an address of its own, with GET and with CONNECT: turnsback PROXY ADDRESS.
func turnsBack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: turnsback PROXY ADDRESS")
	}
	_, port, err := net.SplitHostPort(args[1])
	ts.Check(err)
	for _, own := range ownNames {
		at := own.host + ":" + port
		for _, line := range []string{"GET http://" + at + "/", "CONNECT " + at} {
			if status, err := statusOf(args[0], line, at); err != nil || !slices.Contains(own.want, status) {
				ts.Fatalf("%s: got %d, %v; want %v", line, status, err, own.want)
			}
		}
	}
}

// statusOf is what a proxy answers to a request line.
func statusOf(proxy, line, host string) (int, error) {
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // a loop would not end
	if _, err := fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", line, host); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
