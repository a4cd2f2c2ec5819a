package record

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	// facility is daemon (RFC 3164, section 4.1.1).
	facility = 3
	// syslogTimeout is how long a daemon may take to accept a record.
	syslogTimeout = time.Second
)

// syslogSockets are where a local daemon listens: Linux, macOS, the BSDs.
var syslogSockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// OpenSyslog gives a sink that is the computer's own syslog daemon: a datagram for each record, whose text is the record's JSON. socket is empty for the
// usual place. The form is that of syslog(3), which every local daemon takes, and not RFC 5424, which not every one takes there. Sending
// records elsewhere, and keeping them from being read on the way, is the daemon's work. Daemons cut long records: rsyslog at 8 KiB unless
// $MaxMessageSize says more.
func OpenSyslog(socket string) (Sink, error) {
	s := &syslog{sockets: syslogSockets}
	if socket != "" {
		s.sockets = []string{socket}
	}
	return s, s.dial()
}

type syslog struct {
	sockets []string

	mu     sync.Mutex
	conn   *net.UnixConn
	closed bool
}

// dial finds the daemon. The caller holds mu, or is alone.
func (s *syslog) dial() error {
	var failed []error
	for _, name := range s.sockets {
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
		if err == nil {
			s.conn = conn
			return nil
		}
		failed = append(failed, err)
	}
	return fmt.Errorf("no syslog daemon answers: %w", errors.Join(failed...))
}

// Put implements [Sink]. A daemon that was started again is found again.
func (s *syslog) Put(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	text := syslogMessage(r, time.Now())
	if s.conn != nil {
		err := s.send(text)
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	if err := s.dial(); err != nil {
		return err
	}
	return s.send(text)
}

// send hands over one datagram, and gives the connection up where that fails.
func (s *syslog) send(text []byte) error {
	err := s.conn.SetWriteDeadline(time.Now().Add(syslogTimeout))
	if err == nil {
		_, err = s.conn.Write(text)
	}
	if err != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
	return err
}

// syslogMessage is a record as syslog(3) sends it.
func syslogMessage(r Record, now time.Time) []byte {
	text := make([]byte, 0, len(r.Line)+64)
	text = append(text, '<')
	text = strconv.AppendInt(text, int64(facility<<3|int(priority(r.Level))), 10)
	text = append(text, '>')
	text = now.AppendFormat(text, time.Stamp)
	text = append(text, " "+Identifier+"["...)
	text = strconv.AppendInt(text, int64(os.Getpid()), 10)
	text = append(text, "]: "...)
	return append(text, r.Line[:len(r.Line)-1]...)
}

// Reopen implements [Sink].
func (s *syslog) Reopen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
	return s.dial()
}

// Close implements [Sink].
func (s *syslog) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
