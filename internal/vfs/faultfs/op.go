package faultfs

import (
	"fmt"
	"syscall"
)

// Kind is a kind of operation.
type Kind string

// The kinds of operations.
const (
	OpOpen      Kind = "open"
	OpStat      Kind = "stat"
	OpReadDir   Kind = "readdir"
	OpRename    Kind = "rename"
	OpRemove    Kind = "remove"
	OpRemoveAll Kind = "removeall"
	OpMkdir     Kind = "mkdir"
	OpSyncDir   Kind = "syncdir"
	OpRead      Kind = "read"
	OpWrite     Kind = "write"
	OpSync      Kind = "sync"
	OpTruncate  Kind = "truncate"
	OpAllocate  Kind = "allocate"
	OpLock      Kind = "lock"
	OpClose     Kind = "close"
	OpExchange  Kind = "exchange"
	OpAdopt     Kind = "adopt"
)

// Op is one operation, about to be done.
type Op struct {
	N    int // how many came before it
	Kind Kind
	Name string // of the file or folder, the old one when it is renamed
}

// String formats the operation as "#12 write wal/0.tmp".
func (o Op) String() string { return fmt.Sprintf("#%d %s %s", o.N, o.Kind, o.Name) }

// ErrInjected is the error of operations that [FS.FailAt] fails.
var ErrInjected error = fmt.Errorf("injected: %w", syscall.EIO)
