package namedpipe

import "errors"

// wake is for named pipes in directories, which Windows does not have.
func wake(string) error { return errors.ErrUnsupported }
