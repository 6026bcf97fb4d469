package restore

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// checkSpace refuses a restore for which the disk has no room. Where that can't be asked, it is left to
// the writing.
func (p *Plan) checkSpace() error {
	p.Need = p.need()
	dir := p.Members[0].DataDir
	for {
		_, err := p.o.FS.Stat(dir)
		if err == nil {
			break
		}
		if up := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && up != dir {
			dir = up
			continue
		}
		return err
	}
	free, err := freeSpace(dir)
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		return err
	}
	if free < p.Need {
		return fmt.Errorf("%s: %w: %d bytes are free, and about %d are needed", dir, syscall.ENOSPC, free, p.Need)
	}
	return nil
}
