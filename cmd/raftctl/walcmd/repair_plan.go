package walcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair"
)

// planMax is how large a file with a plan may be, in bytes: one with thousands of corrections takes some MB.
const planMax = 256 << 20

// writePlan writes a plan to a file.
func writePlan(a *ui.App, name string, p *repair.Plan) (err error) {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	f, err := a.FS.OpenFile(a.Path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Sync())
}

// readPlan reads one.
func readPlan(a *ui.App, name string) (*repair.Plan, error) {
	f, err := a.FS.Open(a.Path(name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	d := json.NewDecoder(io.LimitReader(f, planMax))
	d.DisallowUnknownFields()
	p := new(repair.Plan)
	if err := d.Decode(p); err != nil {
		return nil, ui.UsageError{Err: fmt.Errorf("%s is no plan: offset %d: %w", ui.Quote(name), d.InputOffset(), err)}
	}
	if p.Format != repair.PlanFormat {
		return nil, ui.UsageError{Err: fmt.Errorf("%s is a plan of format %d, want %d", ui.Quote(name), p.Format, repair.PlanFormat)}
	}
	return p, nil
}
