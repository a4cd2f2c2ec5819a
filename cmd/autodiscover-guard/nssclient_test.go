package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
)

// nssClient is a program for scripts: NSS's own test client makes a verified TLS connection through a proxy, trusting what an NSS database
// trusts. It speaks to no proxy itself, so it connects to this process, which opens the tunnel. Its exit code is the client's.
//
//	nss-client DATABASE PROXY HOST
func nssClient() {
	database, proxy, host := os.Args[1], os.Args[2], os.Args[3]
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go tunnel(client, proxy, host)
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(err)
	// -Q ends after the handshake; -a is the name that is asked for, and that the certificate must have.
	cmd := exec.Command("tstclnt", "-4", "-Q", "-h", "127.0.0.1", "-p", port, "-a", host, "-d", "sql:"+database)
	said, err := cmd.CombinedOutput()
	fmt.Printf("%s", said)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("verified")
}

func tunnel(client net.Conn, proxy, host string) {
	defer client.Close()
	upstream, err := net.Dial("tcp", proxy)
	if err != nil {
		return
	}
	defer upstream.Close()
	connect := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: host + ":443"}, Host: host + ":443", Header: http.Header{}}
	if connect.Write(upstream) != nil {
		return
	}
	reader := bufio.NewReader(upstream)
	if answer, err := http.ReadResponse(reader, connect); err != nil || answer.StatusCode != http.StatusOK {
		return
	}
	go func() { _, _ = io.Copy(upstream, client) }()
	_, _ = io.Copy(client, reader)
}
