package kv

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failure is the one thing that ends a store. etcd's libraries end the process then, by their logger;
// this one must not.
type failure struct {
	mu   sync.Mutex
	err  error
	tell func(error)
}

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
		f.err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	f.mu.Unlock()
	if first && f.tell != nil {
		f.tell(f.get())
	}
}

// fatal is what a Fatal of etcd's libraries panics with on the goroutine of a caller of ours.
type fatal struct{ err error }

// OnWrite implements zapcore.CheckWriteHook: it is called when a library logs an error that it can't go
// on after. It doesn't return, for the library doesn't expect that: on the goroutine of a call of ours
// it panics, which the call turns into an error, and any other goroutine ends.
func (f *failure) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	err := errors.New(entry.Message)
	for _, field := range fields {
		if cause, ok := field.Interface.(error); ok {
			err = fmt.Errorf("%s: %w", entry.Message, cause)
		}
	}
	f.set(err)
	if withinCall() {
		panic(fatal{err})
	}
	runtime.Goexit()
}

// withinCall reports whether the goroutine is in a call that recovers: see [Store.guard].
func withinCall() bool {
	const deep = 128
	var pcs [deep]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, ".(*failure).guard") {
			return true
		}
		if !more {
			return false
		}
	}
}

// guard calls do. A panic in it, as etcd's libraries have for what they don't expect, is an error, after
// which the store has failed: locks may be held for ever.
func (f *failure) guard(do func() error) (err error) {
	if err := f.get(); err != nil {
		return err
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fatal:
			err = f.get()
		case runtime.Error:
			// of a damaged database as a rule: what bbolt reads is not checked before it is used
			f.set(fmt.Errorf("the libraries of etcd panic: %w", r))
			err = f.get()
		default:
			f.set(fmt.Errorf("etcd panics: %v", r))
			err = f.get()
		}
	}()
	return do()
}

// logger is the logger for etcd's libraries.
func (f *failure) logger(lg *zap.Logger) *zap.Logger { return lg.WithOptions(zap.WithFatalHook(f)) }
