package kv

import (
	"errors"
	"sync"
	"testing"

	"go.uber.org/zap"
)

var errDisk = errors.New("no such disk")

// deeply calls do many calls further down.
func deeply(n int, do func()) {
	if n == 0 {
		do()
		return
	}
	deeply(n-1, do)
}

// TestFailure lets a library give up in each way, on a goroutine of a call and on one of its own: the
// failure is told once, and the call returns.
func TestFailure(t *testing.T) {
	ways := map[string]func(lg *zap.Logger){
		"fatal":         func(lg *zap.Logger) { lg.Fatal("gave up", zap.Error(errDisk)) },
		"panic in log":  func(lg *zap.Logger) { lg.Panic("gave up", zap.Error(errDisk)) },
		"fatal, deeply": func(lg *zap.Logger) { deeply(1000, func() { lg.Fatal("gave up", zap.Error(errDisk)) }) },
		"panic":         func(*zap.Logger) { panic(errDisk) },
	}
	for name, giveUp := range ways {
		t.Run(name, func(t *testing.T) {
			f, told := newFailure(), 0
			f.tell = func(error) { told++ }
			err := f.guard(func() error {
				giveUp(f.logger(zap.NewNop()))
				return nil
			})
			if !errors.Is(err, ErrFailed) || !errors.Is(err, errDisk) || told != 1 {
				t.Errorf("error %v, told %d times", err, told)
			}
			if again := f.guard(func() error { t.Error("called"); return nil }); !errors.Is(again, ErrFailed) {
				t.Errorf("afterwards: %v", again)
			}
		})
		if name == "panic" {
			continue // it ends the process
		}
		t.Run(name+", elsewhere", func(t *testing.T) {
			f := newFailure()
			var lock sync.Mutex
			held := make(chan struct{})
			go func() {
				lock.Lock() // for ever
				close(held)
				giveUp(f.logger(zap.NewNop()))
				t.Error("it went on")
			}()
			err := f.guard(func() error {
				<-held
				lock.Lock()
				return nil
			})
			if !errors.Is(err, ErrFailed) || !errors.Is(err, errDisk) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestRefuse ends a transaction that a library commits while a panic unwinds it, and any after a failure.
func TestRefuse(t *testing.T) {
	f := newFailure()
	if err := f.guard(func() error { f.refuse(); return nil }); err != nil {
		t.Errorf("without a failure: %v", err)
	}
	committed := false
	err := f.guard(func() error {
		defer func() {
			f.refuse()
			committed = true
		}()
		panic("in the middle")
	})
	if !errors.Is(err, ErrFailed) || committed {
		t.Errorf("error %v, committed %t", err, committed)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.refuse()
		committed = true
	}()
	if <-done; committed {
		t.Error("committed after a failure")
	}
}
