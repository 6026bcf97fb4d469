package stream

const (
	// MaxMessage is the largest message, in bytes, on a message stream, in a complete frame of an
	// append stream, and in a pipeline's body. It is what etcd's reader accepts.
	MaxMessage = 512 << 20

	// MaxSnapshotHead is the largest message before a database, in bytes: what etcd accepts since
	// 3.6.14 and 3.7.1.
	MaxSnapshotHead = 64 << 20

	// MaxEntries bounds the entries of one short frame of an append stream. etcd puts at most 1 MiB
	// of entries into a message, six bytes or more each, unless a single one is larger: it stays
	// below a fifth of this. It has no bound of its own.
	MaxEntries = 1 << 20

	// chunk is how far a buffer grows before the bytes that it is for have arrived, so that a false
	// length costs no memory. It is also the largest buffer that is kept for the next frame.
	chunk = 1 << 20
)
