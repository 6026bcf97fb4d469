package walcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair"
)

// planMax is how large a file with a plan may be, in bytes: one with thousands of corrections takes some MB.
const planMax = 256 << 20

// planFile is a plan as it is stored: with a sum that tells that it is the one that was written.
type planFile struct {
	*repair.Plan
	Hash string `json:"plan_hash"` // of the plan
}

// planExists says that there is something where a plan is to be written. A file of the member's may be what is named.
func planExists(name string) error {
	return ui.UsageError{Err: fmt.Errorf("%s: it exists: name another", ui.Quote(name))}
}

// writePlan writes a plan to a new file, which is there as a whole or not at all.
func writePlan(a *ui.App, name string, p *repair.Plan) (err error) {
	b, err := json.MarshalIndent(planFile{p, p.Hash()}, "", "  ")
	if err != nil {
		return err
	}
	path := a.Path(name)
	f, err := a.FS.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return planExists(name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, a.FS.Remove(path))
	}
	return nil
}

// readPlan reads one.
func readPlan(a *ui.App, name string) (*repair.Plan, error) {
	f, err := a.FS.Open(a.Path(name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	no := func(format string, args ...any) error {
		return ui.UsageError{Err: fmt.Errorf("%s is no plan that --plan wrote: %w", ui.Quote(name), fmt.Errorf(format, args...))}
	}
	d := json.NewDecoder(io.LimitReader(f, planMax))
	d.DisallowUnknownFields()
	p := planFile{Plan: new(repair.Plan)}
	if err := d.Decode(&p); err != nil {
		return nil, no("offset %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, no("offset %d: something follows it", d.InputOffset())
	}
	if p.Format != repair.PlanFormat {
		return nil, no("format %d, want %d", p.Format, repair.PlanFormat)
	}
	if got := p.Plan.Hash(); p.Hash != got {
		return nil, no("hash %s, and it says %q", got, p.Hash)
	}
	return p.Plan, nil
}
