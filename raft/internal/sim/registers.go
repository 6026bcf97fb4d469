package sim

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

const (
	keys   = 3
	maxOps = 512
)

// opKind is what a client asks for.
type opKind uint8

const (
	opPut opKind = iota
	opSwap
	opRead
	opNothing
)

func (k opKind) String() string { return [...]string{"put", "swap", "read", "nothing"}[k] }

// command is what an entry asks of the state machine.
type command struct {
	kind  opKind
	id    uint16 // of the client's operation; the same for each attempt
	key   uint8
	value uint32
	old   uint32 // for opSwap
}

const commandSize = 12

func (c command) encode(padding int) []byte {
	b := make([]byte, 0, commandSize+padding)
	b = append(b, byte(c.kind), c.key)
	b = binary.LittleEndian.AppendUint16(b, c.id)
	b = binary.LittleEndian.AppendUint32(b, c.value)
	b = binary.LittleEndian.AppendUint32(b, c.old)
	return append(b, make([]byte, padding)...)
}

func decodeCommand(b []byte) (command, error) {
	if len(b) < commandSize {
		return command{}, fmt.Errorf("command of %d bytes, want %d", len(b), commandSize)
	}
	return command{
		kind:  opKind(b[0]),
		key:   b[1],
		id:    binary.LittleEndian.Uint16(b[2:]),
		value: binary.LittleEndian.Uint32(b[4:]),
		old:   binary.LittleEndian.Uint32(b[8:]),
	}, nil
}

// registers is the state machine. A command counts once, however often it comes.
type registers struct {
	index   uint64 // the last entry applied
	history uint64 // a hash of all commands applied
	values  [keys]uint32
	done    [maxOps / 64]uint64 // the commands applied
	swapped [maxOps / 64]uint64 // those of them that swapped
	conf    raftpb.ConfState
}

func bit(set *[maxOps / 64]uint64, id uint16) bool { return set[id/64]>>(id%64)&1 != 0 }

// apply executes a command, and reports for opSwap whether it swapped.
func (r *registers) apply(c command) bool {
	if bit(&r.done, c.id) {
		return bit(&r.swapped, c.id)
	}
	r.done[c.id/64] |= 1 << (c.id % 64)
	switch {
	case c.kind == opPut:
		r.values[c.key] = c.value
	case c.kind == opSwap && r.values[c.key] == c.old:
		r.values[c.key] = c.value
		r.swapped[c.id/64] |= 1 << (c.id % 64)
		return true
	}
	return false
}

// sum is a hash of the whole state, the same for equal states only.
func (r *registers) sum() uint64 {
	h := fnv.New64a()
	_, _ = h.Write(r.encode())
	return h.Sum64()
}

// encode returns the state as the bytes of a snapshot.
func (r *registers) encode() []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 256), r.index)
	b = binary.LittleEndian.AppendUint64(b, r.history)
	for _, v := range r.values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for i := range r.done {
		b = binary.LittleEndian.AppendUint64(b, r.done[i])
		b = binary.LittleEndian.AppendUint64(b, r.swapped[i])
	}
	return r.conf.AppendTo(b, raftpb.FlavorPbgo)
}

// registersSize is the size of the state without its membership.
const registersSize = 16 + 4*keys + 16*(maxOps/64)

func decodeRegisters(b []byte) (registers, error) {
	var r registers
	if len(b) < registersSize {
		return r, fmt.Errorf("state of %d bytes, want %d", len(b), registersSize)
	}
	r.index = binary.LittleEndian.Uint64(b)
	r.history = binary.LittleEndian.Uint64(b[8:])
	b = b[16:]
	for i := range r.values {
		r.values[i], b = binary.LittleEndian.Uint32(b), b[4:]
	}
	for i := range r.done {
		r.done[i] = binary.LittleEndian.Uint64(b)
		r.swapped[i] = binary.LittleEndian.Uint64(b[8:])
		b = b[16:]
	}
	err := r.conf.Unmarshal(b)
	return r, err
}

// sortedConf returns a membership with its lists in order, so that equal ones have equal bytes.
func sortedConf(cs raftpb.ConfState) raftpb.ConfState {
	for _, ids := range []*[]uint64{
		&cs.Voters, &cs.Learners, &cs.VotersOutgoing, &cs.LearnersNext,
	} {
		*ids = slices.Sorted(slices.Values(*ids))
	}
	return cs
}

// entrySum is a hash of an entry's contents.
func entrySum(e *raftpb.Entry) uint64 {
	sum := uint64(14695981039346656037) ^ uint64(e.Type)
	for _, c := range e.Data {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return sum
}
