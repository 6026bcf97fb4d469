// Package bolt reads bbolt databases, the container in which etcd keeps its state. It only reads,
// through an [io.ReaderAt], and so takes no lock and changes nothing: bbolt itself writes to a file
// that it opens for writing even if nothing is put into it. Damage is an error with the offset of
// the page, never a panic; what the damage doesn't hold can still be read.
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
// A writing transaction never changes a page that the one before it uses. It writes new pages to
// places that are free, syncs, and then writes the meta page that its ID doesn't divide evenly into;
// so of the two meta pages the one of the higher transaction counts, if its checksum is good.
package bolt
