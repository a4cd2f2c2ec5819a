package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
)

// webhook is a second program for scripts: it takes whatever is posted, as files 1, 2, … of a directory, until a signal ends it.
//
//	webhook DIR
func webhook() {
	dir := os.Args[1]
	must(os.MkdirAll(dir, 0o700))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	put := func(name string, text []byte) {
		must(os.WriteFile(filepath.Join(dir, name+".new"), text, 0o600))
		must(os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)))
	}
	var n atomic.Int64
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(err)
		put(strconv.FormatInt(n.Add(1), 10), body)
	})}
	go func() { _ = server.Serve(l) }()
	put("address", []byte(l.Addr().String()))
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	<-ended
	must(server.Close())
}
