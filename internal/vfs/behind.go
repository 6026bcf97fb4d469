package vfs

// WriteBehind asks the system to begin writing size bytes of a file at off to the disk: a later Sync then has
// less left to do. It may wait until the disk takes them. It is a hint, which says nothing about what is
// durable, and does nothing where there is no such call.
func WriteBehind(f File, off, size int64) {
	if f, ok := f.(interface{ writeBehind(off, size int64) }); ok {
		f.writeBehind(off, size)
	}
}
