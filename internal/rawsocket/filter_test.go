package rawsocket

import (
	"testing"

	"golang.org/x/net/bpf"
)

// The filter takes what goes from or to a port, by either version of IP.
func TestFilter(t *testing.T) {
	vm, err := bpf.NewVM(filter([]uint16{2380, 7001}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bpf.Assemble(filter([]uint16{2380, 7001})); err != nil {
		t.Fatal(err)
	}
	v4 := func(head, protocol byte, src, dst uint16) []byte {
		b := make([]byte, int(head)*4+20)
		b[0], b[9] = 0x40|head, protocol
		return withPorts(b, int(head)*4, src, dst)
	}
	v6 := func(next byte, src, dst uint16) []byte {
		b := make([]byte, 60)
		b[0], b[6] = 0x60, next
		return withPorts(b, 40, src, dst)
	}
	fragment := v4(5, 6, 2380, 1)
	fragment[7] = 1
	for name, tc := range map[string]struct {
		packet []byte
		want   bool
	}{
		"to":             {v4(5, 6, 1, 2380), true},
		"from":           {v4(5, 6, 7001, 1), true},
		"with options":   {v4(8, 6, 1, 7001), true},
		"of others":      {v4(5, 6, 1, 2), false},
		"UDP":            {v4(5, 17, 1, 2380), false},
		"fragment":       {fragment, false},
		"of IPv6":        {v6(6, 1, 2380), true},
		"others of IPv6": {v6(6, 1, 2), false},
		"UDP of IPv6":    {v6(17, 2380, 2), false},
		"ARP":            {make([]byte, 60), false},
		"short":          {[]byte{0x45}, false},
	} {
		n, err := vm.Run(tc.packet)
		if err != nil || n > 0 != tc.want {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func withPorts(b []byte, at int, src, dst uint16) []byte {
	b[at], b[at+1], b[at+2], b[at+3] = byte(src>>8), byte(src), byte(dst>>8), byte(dst)
	return b
}
