// Package faultfs is a file system in memory for tests of code that must survive failures.
//
// It counts every operation, and fails those that a rule picks: [FS.FailAt] fails the i-th, for
// tests that go through every i. A failing write leaves half of its sectors, a failing sync loses
// what it should have saved for good, and with [FS.SetSpace] the disk runs full.
//
// It knows what was synced, file by file and folder by folder. [FS.Crash] returns the file system
// as a power cut would leave it: what was synced is there, and of the rest what the test asks for,
// down to single sectors of a write. It is stricter than any real file system: syncing a file
// doesn't save its name.
//
// [Over] counts and fails the operations on another file system, for code that needs real paths.
package faultfs
