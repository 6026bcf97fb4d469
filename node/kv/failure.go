package kv

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failure is the one thing that ends a store. etcd's libraries end the process then, by their logger or
// by a panic; this one must not.
type failure struct {
	tell func(error) // of the first failure; nil: nobody is told
	file string      // the database, which an error of a library's doesn't name; empty while who opens it does

	mu     sync.Mutex
	err    error
	failed chan struct{} // closed when err is set
}

func newFailure() *failure { return &failure{failed: make(chan struct{})} }

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// set keeps the first error, and tells it.
func (f *failure) set(err error) {
	f.mu.Lock()
	first := f.err == nil
	if first {
		if f.file != "" && !strings.Contains(err.Error(), f.file) {
			err = fmt.Errorf("%s: %w", f.file, err)
		}
		f.err = fmt.Errorf("%w: %w", ErrFailed, err)
		close(f.failed)
	}
	f.mu.Unlock()
	if first && f.tell != nil {
		f.tell(f.get())
	}
}

// stop ends what the goroutine does, after a failure: in a call of ours by a panic, which the call turns
// into an error. Any other goroutine ends, with the locks that it holds.
func (f *failure) stop() {
	if within(".(*failure).call") {
		panic(stopped{})
	}
	runtime.Goexit()
}

// stopped is what a call of ours panics with after a failure that is known already.
type stopped struct{}

// OnWrite implements zapcore.CheckWriteHook: it is called when a library logs an error that it can't go
// on after. It doesn't return, for the library doesn't expect that.
func (f *failure) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	err := errors.New(entry.Message)
	for _, field := range fields {
		if cause, ok := field.Interface.(error); ok {
			err = fmt.Errorf("%s: %w", entry.Message, cause)
		}
	}
	f.set(err)
	f.stop()
}

// refuse ends a transaction that must not be committed: the store has failed, or a library is being
// unwound by a panic, and commits what it did till then while it lets go of its locks.
func (f *failure) refuse() {
	if f.get() == nil && !within("runtime.gopanic") {
		return
	}
	f.set(errors.New("a library of etcd's panics in the middle of a change"))
	f.stop()
}

// within reports whether the goroutine is in a function, by the end of its name.
func within(name string) bool {
	const many = 64
	var pcs [many]uintptr
	for skip := 2; ; skip += many {
		n := runtime.Callers(skip, pcs[:])
		if n == 0 {
			return false
		}
		frames := runtime.CallersFrames(pcs[:n])
		for more := true; more; {
			var frame runtime.Frame
			if frame, more = frames.Next(); strings.HasSuffix(frame.Function, name) {
				return true
			}
		}
	}
}

// patience is how long a call that is under way when the store fails may take to end by itself.
const patience = time.Second

// guard calls do on a goroutine of its own, for it may wait for ever for a lock: that of a goroutine
// which found the database broken, and ended. Then the error is returned, and the goroutine left alone.
func (f *failure) guard(do func() error) error {
	if err := f.get(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- f.call(do) }()
	select {
	case err := <-done:
		return err
	case <-f.failed:
	}
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return f.get()
	}
}

// call calls do. A panic in it, as etcd's libraries have for what they don't expect, is an error, after
// which the store has failed: locks may be held for ever. So is a fault in the memory to which the
// database is mapped, as it comes when a disk can't be read.
func (f *failure) call(do func() error) (err error) {
	debug.SetPanicOnFault(true)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stopped:
			err = f.get()
		case error:
			// of a damaged database as a rule: what bbolt reads is not checked before it is used
			f.set(fmt.Errorf("the libraries of etcd panic: %w", r))
			err = f.get()
		default:
			f.set(fmt.Errorf("the libraries of etcd panic: %v", r))
			err = f.get()
		}
	}()
	return do()
}

// logger is the logger for etcd's libraries.
func (f *failure) logger(lg *zap.Logger) *zap.Logger {
	return lg.WithOptions(zap.WithFatalHook(f), zap.WithPanicHook(f))
}
