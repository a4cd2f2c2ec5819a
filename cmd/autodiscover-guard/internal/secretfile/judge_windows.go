package secretfile

import "os"

// judge asks nothing: the directory's access list decides.
func judge(*os.File) error { return nil }
