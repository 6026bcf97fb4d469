package rows

const (
	// MaxBatch is how many rows a batch has at most.
	MaxBatch = 1024

	// Large is how many bytes a row aliases from which on it is rendered where it lies.
	Large = 1 << 20

	batchBytes = 256 << 10 // of rows that are not large
	maxKept    = 8 << 20   // bytes of output that a batch keeps room for
)

// Row is what a pipeline needs of rows: they alias the reader's buffer, and are copied.
type Row[T any] interface {
	*T

	// Size returns how many bytes the row aliases.
	Size() int

	// Keep copies these bytes to buf, which has that length, and aliases buf from then on.
	Keep(buf []byte)
}

// Batch is a run of rows and what they look like.
type Batch[T any] struct {
	Items []T
	Out   []byte // what they look like: a worker appends to it, and calls EndLine behind each row
	Marks int    // what a worker counts: see Writer.Marks
	Err   error  // ends the printing behind the lines of the batch

	lines []line
	bytes int           // that the rows alias
	data  []byte        // what rows alias that were added last
	done  chan struct{} // closed when Out is complete
}

// line is a rendered row.
type line struct {
	end   int // in Batch.Out
	marks int // of the batch up to and including this line
}

// EndLine makes what was appended to Out since the last call a line.
func (b *Batch[T]) EndLine() { b.lines = append(b.lines, line{len(b.Out), b.Marks}) }

// DropLine takes the last line back.
func (b *Batch[T]) DropLine() {
	b.lines = b.lines[:len(b.lines)-1]
	b.Out = b.Out[:0]
	if n := len(b.lines); n > 0 {
		b.Out = b.Out[:b.lines[n-1].end]
	}
}

// add copies a row to the batch. Rows that were added before go on aliasing the bytes that they did.
func add[T any, P Row[T]](b *Batch[T], row *T) {
	b.Items = append(b.Items, *row)
	size := P(row).Size()
	if cap(b.data)-len(b.data) < size {
		b.data = make([]byte, 0, max(size, batchBytes))
	}
	at := len(b.data)
	b.data = b.data[:at+size]
	b.bytes += size
	P(&b.Items[len(b.Items)-1]).Keep(b.data[at : at+size : at+size])
}

func (b *Batch[T]) full() bool { return len(b.Items) >= MaxBatch || b.bytes >= batchBytes }

func (b *Batch[T]) reset() {
	b.Items, b.data, b.bytes = b.Items[:0], b.data[:0], 0
	b.Out, b.lines, b.Marks, b.Err, b.done = b.Out[:0], b.lines[:0], 0, nil, make(chan struct{})
	if cap(b.Out) > maxKept {
		b.Out = nil
	}
}
