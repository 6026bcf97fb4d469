package vfs

import "errors"

// Exchange gives two files or folders each other's name, in one step: nobody ever sees one of the names
// missing, nor does a power cut leave that. The error is [errors.ErrUnsupported], and nothing has changed,
// where the system or the file system has no such step.
func Exchange(fsys FS, a, b string) error {
	if f, ok := fsys.(interface{ Exchange(a, b string) error }); ok {
		return f.Exchange(a, b)
	}
	return errors.ErrUnsupported
}

// Exchange implements the function of that name.
func (osFS) Exchange(a, b string) error { return exchange(a, b) }
