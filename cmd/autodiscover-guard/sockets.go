package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// sockets are listeners that the service manager has made for us (systemd.socket(5)), by the key of the configuration in whose place they stand.
// They outlive the process, so that nobody is refused while it is restarted.
type sockets map[string]net.Listener

// inheritedSockets takes over what systemd has handed down; without it, there is nothing.
func inheritedSockets() (sockets, error) {
	wrong := func(err error) error {
		return hint(fmt.Errorf("the service manager's sockets: %w", err),
			"want one TCP socket for each door, with FileDescriptorName=proxy, transparent or admin in its .socket unit")
	}
	if n := announcedSockets(); n > doorCount {
		return nil, wrong(fmt.Errorf("LISTEN_FDS announces %d", n))
	}
	files := activation.Files(true)
	all := make(sockets, len(files))
	for _, f := range files {
		if err := all.add(f, len(files) == 1); err != nil {
			all.close()
			return nil, wrong(err)
		}
	}
	return all, nil
}

// doorCount is how many doors there are: proxy, transparent and admin.
const doorCount = 3

// announcedSockets is how many sockets the environment says this process has been given (sd_listen_fds(3)). Package activation looks at each of them, whatever the number.
func announcedSockets() int {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return 0
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil {
		return 0
	}
	return n
}

func (s sockets) add(f *os.File, alone bool) error {
	defer func() { _ = f.Close() }() // the listener has a descriptor of its own
	key, err := doorOf(f.Name(), alone)
	if err != nil {
		return err
	}
	if s[key] != nil {
		return fmt.Errorf("two are named %q", strings.TrimPrefix(key, "listen."))
	}
	l, err := net.FileListener(f)
	if err != nil {
		return fmt.Errorf("%q does not listen: %w", f.Name(), err)
	}
	if _, ok := l.Addr().(*net.TCPAddr); !ok {
		return errors.Join(fmt.Errorf("%q listens at %s, which is not a TCP address", f.Name(), l.Addr()), l.Close())
	}
	s[key] = l
	return nil
}

// doorOf is the key of the door that a socket is named after. One that stands alone need not have a name: without FileDescriptorName systemd
// calls it after its unit, and go-systemd v22.7.0, activation/files_unix.go, calls one LISTEN_FD_3 that nobody has named.
func doorOf(name string, alone bool) (string, error) {
	switch name {
	case "proxy", "transparent", "admin":
		return "listen." + name, nil
	}
	switch {
	case name != "unknown" && !strings.HasPrefix(name, "LISTEN_FD_") && !strings.HasSuffix(name, ".socket"):
		return "", fmt.Errorf("there is no door %q", name)
	case !alone:
		return "", errors.New("there are several, and one has no name")
	}
	return "listen.proxy", nil
}

// addresses are the addresses of sockets, by the same keys.
type addresses map[string]string

func (s sockets) addresses() addresses {
	all := make(addresses, len(s))
	for key, l := range s {
		all[key] = l.Addr().String()
	}
	return all
}

// claim puts the addresses in the place of what the configuration says, so that every check of addresses there is one of these, too.
func (a addresses) claim(c *config.Config) error {
	for key, address := range a {
		if err := c.Set(key, address); err != nil {
			return fmt.Errorf("the service manager's socket: %w", err)
		}
	}
	return nil
}

// take hands a listener to whoever serves it; nil where there is none.
func (s sockets) take(key string) net.Listener {
	l := s[key]
	delete(s, key)
	return l
}

// close closes those that nobody has taken.
func (s sockets) close() {
	for _, l := range s {
		_ = l.Close()
	}
}
