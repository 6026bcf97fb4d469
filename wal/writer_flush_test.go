package wal

import (
	"testing"
)

// What was flushed can be read while the writer goes on, and what was only appended can't.
func TestFlush(t *testing.T) {
	d := toyDialect(t)
	dir := writeToy(t, d, 0)
	w, _, err := OpenForAppend(nil, dir, AppendOptions{WriterOptions: WriterOptions{Dialect: d, NoSync: true}})
	check(t, err)
	check(t, w.AppendRecord(kindSpoken, spoken(0)))
	if got, _ := heard(t, openToy(t, d, dir)); len(got) != 0 {
		t.Errorf("before the flush: heard %v", got)
	}
	check(t, w.Flush())
	if got, damages := heard(t, openToy(t, d, dir)); len(got) != 1 || len(damages) > 0 {
		t.Errorf("after the flush: heard %v, damage %v", got, damages)
	}
	mustClose(t, w)
	if err := w.Flush(); err == nil {
		t.Error("a closed writer was flushed")
	}
}
