package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// TestAdvice_denied: a service cannot read what root has made for itself, and its log has to say whose file is wanted, not what should be in it.
func TestAdvice_denied(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	if err != nil {
		t.Skip("nobody knows who this is: ", err)
	}
	denied := fmt.Errorf("listen.admin_token_file: %w", &fs.PathError{Op: "open", Path: "/etc/admin.token", Err: fs.ErrPermission})
	for _, c := range []struct {
		err  error
		want string
	}{
		{denied, "this runs as " + me.Username + ": let that user have /etc/admin.token, or run it as another"},
		{hint(denied, "ask somebody"), "ask somebody"},
		{&fs.PathError{Op: "open", Path: "/etc/none", Err: fs.ErrNotExist}, ""},
		{errors.Join(errors.New("first"), denied), "this runs as " + me.Username + ": let that user have /etc/admin.token, or run it as another"},
		{fmt.Errorf("listen tcp :80: %w", fs.ErrPermission), ""}, // no file
	} {
		if got := advice(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	if got, want := userName(nil, errors.New("no passwd")), fmt.Sprintf("the user with the number %d", os.Geteuid()); got != want {
		t.Errorf("without a name: %q, want %q", got, want)
	}
	// What a certificate should look like is no advice for a file that was not read.
	_, err = readCertificate("listen.certificate", "listen.key", filepath.Join(t.TempDir(), "none.pem"), "")
	if err == nil || !strings.HasPrefix(err.Error(), "listen.certificate: open ") || advice(err) != "" {
		t.Errorf("%v, %q", err, advice(err))
	}
}
