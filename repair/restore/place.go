package restore

import (
	"slices"

	"github.com/raftctl/raftctl/repair/staging"
)

// staged is the data directory of a member while it is made.
type staged struct {
	*Planned
	*staging.Dir
}

func (p *Plan) newStaged(m *Planned) (*staged, error) {
	d, err := staging.New(staging.Options{FS: p.o.FS, DataDir: m.DataDir, WalDir: m.WalDir, Mark: staging.Restoring})
	return &staged{m, d}, err
}

// checkVacant refuses data directories that hold anything, and log directories that exist.
func (p *Plan) checkVacant() error {
	for _, m := range p.Members {
		if err := staging.CheckVacant(p.o.FS, m.DataDir, m.WalDir); err != nil {
			return err
		}
	}
	return nil
}

// checkApart refuses results that lie in one another.
func (p *Plan) checkApart() error {
	var dirs []string
	for _, m := range p.Members {
		if m.WalDir != "" && staging.Within(m.DataDir, m.WalDir) != "" {
			return &staging.OccupiedError{Path: m.WalDir, Why: "the data directory would lie in it"}
		}
		for _, other := range dirs {
			if staging.Within(m.DataDir, other) != "" || staging.Within(other, m.DataDir) != "" {
				return &staging.OccupiedError{Path: m.DataDir, Why: "another data directory would lie there"}
			}
		}
		dirs = append(dirs, m.DataDir)
	}
	return nil
}

// Leftovers returns the folders that interrupted restores to the same places have left. They are
// nobody's result, and can be removed.
func (p *Plan) Leftovers() (list []string) {
	for _, m := range p.Members {
		for _, dir := range staging.Leftovers(p.o.FS, staging.Restoring, m.DataDir, m.WalDir) {
			if !slices.Contains(list, dir) {
				list = append(list, dir)
			}
		}
	}
	return list
}
