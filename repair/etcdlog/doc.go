// Package etcdlog reads what etcd itself has logged, and says what the lines mean on which it ended, or with
// which it warned: the classes of the findings that explain them, and what to do.
//
// It takes the text as people have it: as etcd wrote it, in JSON or, up to 3.4, in lines such as
//
//	2026-11-29 01:40:31.077462 C | etcdmain: walpb: crc mismatch
//
// and with what a journal, a container runtime or Kubernetes has put before it. What is known of a line stands
// in one table: see [Causes]. Lines that a healthy server writes are none of them.
//
// Memory is bounded whatever is read: of a long line its beginning counts, and of lines with one cause the first
// and the last are kept.
package etcdlog
