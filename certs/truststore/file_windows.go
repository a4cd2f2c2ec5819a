package truststore

import (
	"io/fs"
	"os"
)

// chownLike does nothing: on Windows a new file inherits the access list of its directory.
func chownLike(*os.File, fs.FileInfo) error { return nil }
