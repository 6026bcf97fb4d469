package etcdtest

import (
	"errors"
	"os/exec"
	"path/filepath"
)

// BuildRaftctl builds raftctl into a folder and returns the program's path.
func BuildRaftctl(dir string) (path string, err error) {
	path = filepath.Join(dir, "raftctl")
	out, err := exec.Command("go", "build", "-o", path, "github.com/raftctl/raftctl/cmd/raftctl").CombinedOutput()
	if err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, nil
}
