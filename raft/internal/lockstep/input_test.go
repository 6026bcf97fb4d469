package lockstep

// An input is a header, which shapes a world, and operations. A short header is filled up with
// zeros; an incomplete operation at the end is left out.
const (
	shapeSize  = 16
	headerSize = shapeSize + len(operations)
	opSize     = 4
)

// operation is what four bytes tell: what to do, whom to, and two parameters.
type operation struct{ code, member, b, c byte }

type input []byte

func (in input) header() [headerSize]byte {
	var h [headerSize]byte
	copy(h[:], in)
	return h
}

// operations calls do with each operation.
func (in input) operations(do func(operation)) {
	for rest := in[min(len(in), headerSize):]; len(rest) >= opSize; rest = rest[opSize:] {
		do(operation{code: rest[0], member: rest[1], b: rest[2], c: rest[3]})
	}
}

// without returns the input with the operations [lo, hi) left out.
func (in input) without(lo, hi int) input {
	at := func(i int) int { return min(headerSize+i*opSize, len(in)) }
	return append(append(input(nil), in[:at(lo)]...), in[at(hi):]...)
}

// count returns the number of operations.
func (in input) count() int { return max(0, len(in)-headerSize) / opSize }
