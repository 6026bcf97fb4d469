// Package bolt reads bbolt databases, the container in which etcd keeps its state. It only reads,
// through an [io.ReaderAt], and so takes no lock and changes nothing: bbolt itself writes to a file
// that it opens for writing even if nothing is put into it. Damage is an error with the offset of
// the page, never a panic; what the damage doesn't hold can still be read.
//
// [Bucket.Leaves] and what builds on it read a tree in the order of its keys. [DB.Check] reads all and
// says what is wrong, [DB.Scan] finds pages to which nothing refers any more, and [Copy] copies a
// database while another process writes to it.
//
// # Layout
//
// A file is a sequence of pages of equal size, 4096 bytes where etcd runs on Linux. A page that
// doesn't suffice for its contents goes on in the pages behind it (overflow). Integers are in the
// byte order of the machine that wrote them; this package reads little endian.
//
//	page       off  size  field
//	            0    8    id        number of the page: its offset divided by the page size
//	            8    2    flags     1 branch, 2 leaf, 4 meta, 16 freelist
//	           10    2    count     elements of a branch or leaf, IDs of a freelist
//	           12    4    overflow  pages behind this one that belong to it
//
//	meta       16    4    magic     0xed0cdaed
//	(pages     20    4    version   2
//	0 and 1)   24    4    page size
//	           28    4    flags     0
//	           32    8    root      page of the root bucket
//	           40    8    sequence  of the root bucket
//	           48    8    freelist  its page; all ones: not written, as etcd on Linux has it
//	           56    8    pgid      high water: the first page that was never used
//	           64    8    txid      of the transaction that wrote the page
//	           72    8    checksum  FNV-1a, 64 bit, of bytes 16 to 71
//
//	branch     +0    4    pos       of the key, from the start of the element
//	element    +4    4    ksize
//	           +8    8    pgid      of the child, which holds the keys from this key on
//
//	leaf       +0    4    flags     1: the value is a bucket
//	element    +4    4    pos       of the key, from the start of the element; the value follows it
//	           +8    4    ksize
//	          +12    4    vsize
//
//	bucket     +0    8    root      its page; 0: the page stands inline, behind these 16 bytes
//	(value)    +8    8    sequence
//
//	freelist  +16    8    IDs       ascending; with a count of 0xffff, the real one stands before them
//
// The elements of a page stand behind their table, one behind the other, in the order of their keys.
// Only the meta pages have a checksum.
//
// The second meta page and the root bucket of a database in which nothing was ever stored:
//
//	00001000  01 00 00 00 00 00 00 00  04 00 00 00 00 00 00 00  page 1, meta
//	00001010  ed da 0c ed 02 00 00 00  00 10 00 00 00 00 00 00  magic, version 2, pages of 4096
//	00001020  03 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  root in page 3, sequence 0
//	00001030  02 00 00 00 00 00 00 00  04 00 00 00 00 00 00 00  freelist in page 2, high water 4
//	00001040  01 00 00 00 00 00 00 00  0f 48 79 51 1a 35 4c 26  transaction 1, checksum
//	00003000  03 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00  page 3, leaf, no elements
//
// A writing transaction never changes a page that the one before it uses. It writes new pages to
// places that are free, syncs, and then writes the meta page that its ID doesn't divide evenly into;
// so of the two meta pages the one of the higher transaction counts, if its checksum is good.
package bolt
