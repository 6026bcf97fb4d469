package rawsocket

import "golang.org/x/net/bpf"

// maxPacket is how much of a packet is heard: all of it.
const maxPacket = 1 << 18

const protocolTCP = 6

// filter returns a program by which the kernel picks packets, seen from the head of IP on: those of TCP from or to one
// of some ports. Fragments behind the first don't tell theirs, nor do packets of IPv6 with extensions: they are left out.
func filter(ports []uint16) []bpf.Instruction {
	v4 := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: protocolTCP, SkipTrue: 1},
		bpf.RetConstant{},
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0x1fff, SkipTrue: 1},
		bpf.RetConstant{},
		bpf.LoadMemShift{Off: 0}, // the length of the head
	}
	v6 := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: protocolTCP, SkipTrue: 1},
		bpf.RetConstant{},
		bpf.LoadConstant{Dst: bpf.RegX, Val: 40},
	}
	v4, v6 = append(v4, pick(ports)...), append(v6, pick(ports)...)
	p := []bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4}}
	p = append(p, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(v4))})
	p = append(p, v4...)
	p = append(p, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(v6))})
	p = append(p, v6...)
	return append(p, bpf.RetConstant{})
}

// pick takes packets with one of some ports at X or behind it, and no others.
func pick(ports []uint16) (p []bpf.Instruction) {
	for off := range uint32(2) {
		p = append(p, bpf.LoadIndirect{Off: 2 * off, Size: 2})
		for _, port := range ports {
			p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(port), SkipTrue: 1}, bpf.RetConstant{Val: maxPacket})
		}
	}
	return append(p, bpf.RetConstant{})
}
