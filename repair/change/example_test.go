package change_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

// A log is replaced, and put back.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	const segment = "0000000000000000-0000000000000000.wal"
	log := filepath.Join(dir, "member", "wal")
	_ = os.MkdirAll(log, 0o700)
	_ = os.WriteFile(filepath.Join(log, segment), []byte("damaged"), 0o600)

	show := func(what string) {
		b, _ := os.ReadFile(filepath.Join(log, segment))
		fmt.Printf("%s: %s\n", what, b)
	}
	at, _ := change.Locate(vfs.OS, dir, "")
	s, err := change.Begin(change.Options{FS: vfs.OS, Source: at, InPlace: true, Now: time.Now()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = os.Mkdir(s.Log(), 0o700)
	_ = os.WriteFile(filepath.Join(s.Log(), segment), []byte("repaired"), 0o600)
	show("meanwhile")
	if _, err := s.Place(context.Background(), change.Record{What: []string{"repaired it"}}); err != nil {
		fmt.Println(err, s.Remove())
		return
	}
	show("changed")

	u, err := change.PlanUndo(context.Background(), change.UndoOptions{FS: vfs.OS, Place: at, Now: time.Now()})
	if err == nil {
		err = u.Run(context.Background())
	}
	show("undone")
	list, _ := change.History(vfs.OS, at)
	fmt.Println(list[0].State, list[0].What, err)
	// Output:
	// meanwhile: damaged
	// changed: repaired
	// undone: damaged
	// undone [repaired it] <nil>
}
