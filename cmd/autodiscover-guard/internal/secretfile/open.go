// Package secretfile opens files with a secret in them: tokens, keys, passwords and their hashes.
//
// Whoever may read such a file has what is in it, so there is one rule for all of them (decision 52): nobody but its owner may use it, and of one that belongs
// to root the members of its group may read it. That is how a service manager and an orchestrator hand a secret to a user without rights: systemd's credentials
// are root's, with an entry for the service's user in the access list, which shows as the group's right; a volume of Kubernetes is root's and
// readable for fsGroup. A user's own file with a group has whatever group the user happens to be in.
package secretfile

import (
	"os"

	"autodiscover-guard/cmd/autodiscover-guard/internal/namedpipe"
)

// Open opens the file for reading. What is opened is what was judged: another file may be in its place by then.
func Open(path string) (*os.File, error) {
	f, err := namedpipe.Open(path)
	if err != nil {
		return nil, err
	}
	if err := judge(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
