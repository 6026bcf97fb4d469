// Package script runs interaction scripts on the core: text files in which commands drive a cluster
// in memory and the output of each is compared with what the file says. Two sets are run: those
// that ship in the module go.etcd.io/raft/v3, read from the module cache, whose expectations the
// core must meet byte for byte; and our own in raft/testdata, in the same form.
//
// The core knows no text. The log lines of the scripts are made here, from the typed events that
// its Observer gets. Everything is in test files.
package script
