package wirefield

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// sample holds a field of each wire type.
func sample() []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 300)
	b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), []byte("ab"))
	b = protowire.AppendFixed32(protowire.AppendTag(b, 3, protowire.Fixed32Type), 7)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 20, protowire.Fixed64Type), 8)
	b = protowire.AppendTag(b, 5, protowire.StartGroupType)
	b = protowire.AppendTag(b, 5, protowire.EndGroupType)
	return protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), nil)
}

func TestAll(t *testing.T) {
	want := []string{
		"0: 1/0 300 \"\" at 1", "3: 2/2 0 \"ab\" at 5", "7: 3/5 0 \"\\a\\x00\\x00\\x00\" at 8",
		"12: 20/1 0 \"\\b\\x00\\x00\\x00\\x00\\x00\\x00\\x00\" at 14", "22: 5/3 0 \",\" at 23",
		"24: 2/2 0 \"\" at 26",
	}
	n := 0
	for f, err := range All(sample()) {
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%d: %d/%d %d %q at %d", f.Off, f.Num, f.Type, f.Uint, f.Bytes, f.Value)
		if n >= len(want) || got != want[n] {
			t.Errorf("field %d is %s", n, got)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d fields, want %d", n, len(want))
	}
}

func TestAllOfEveryPrefix(t *testing.T) {
	whole := sample()
	borders := map[int]bool{0: true}
	for f, err := range All(whole) {
		if err != nil {
			t.Fatal(err)
		}
		borders[f.Off] = true
	}
	for n := range whole {
		var last error
		for _, err := range All(whole[:n]) {
			last = err
		}
		if wantErr := !borders[n]; errors.Is(last, io.ErrUnexpectedEOF) != wantErr {
			t.Errorf("%d bytes: %v, want an error: %t", n, last, wantErr)
		}
	}
}

func TestEach(t *testing.T) {
	wantSecond := func(f Field) error {
		if f.Num == 2 {
			return f.Want(protowire.VarintType)
		}
		return nil
	}
	tests := []struct{ name, in, want string }{
		{"nothing", "", "<nil>"},
		{"not wanted", "\x08\x01\x12\x00", "offset 2: field 2 has wire type 2, want 0"},
		{"cut off", "\x08\x01\x22\x02a", "offset 2: field is cut off: unexpected EOF"},
		{"number 0", "\x08\x01\x00\x00", "offset 2: bad field number, want 1 to 536870911"},
		{"wire type 7", "\x08\x01\x0f", "offset 2: bad wire type, want 0 to 5"},
		{"long varint", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "offset 0: varint exceeds 64 bits"},
		{"end of no group", "\x0c", "offset 0: end of a group that was not begun"},
		{"end of another group", "\x0b\x14", "offset 0: end of a group that was not begun"},
		{"deep groups", strings.Repeat("\x0b", 1<<15), "offset 0: malformed group"},
	}
	for _, tt := range tests {
		err := Each([]byte(tt.in), wantSecond)
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if _, ok := errors.AsType[*Error](err); ok != (err != nil) {
			t.Errorf("%s: %T is no *Error", tt.name, err)
		}
	}
}

func TestBytes(t *testing.T) {
	b := sample()
	if got := Bytes(b, 2); string(got) != "ab" {
		t.Errorf("field 2 is %q, want the first one, \"ab\"", got)
	}
	if got := Bytes(b, 1); got != nil {
		t.Errorf("field 1 is %q, but it's a varint", got)
	}
	if got := Bytes(b[:4], 2); got != nil {
		t.Errorf("a field that is cut off is %q", got)
	}
}

func TestMinimalUvarint(t *testing.T) {
	for shift := range 64 {
		for _, v := range []uint64{1 << shift, 1<<shift - 1, math.MaxUint64 >> shift} {
			b := binary.AppendUvarint(nil, v)
			if got, n := MinimalUvarint(append(b, 0x7f)); got != v || n != len(b) {
				t.Errorf("%d: got %d of %d bytes, want %d", v, got, n, len(b))
			}
			b[len(b)-1] |= 0x80
			if _, n := MinimalUvarint(append(b, 0)); n != 0 {
				t.Errorf("%x, with a byte too many, has %d bytes", append(b, 0), n)
			}
			if _, n := MinimalUvarint(b); n != 0 {
				t.Errorf("%x, cut off, has %d bytes", b, n)
			}
		}
	}
	tooLarge := append(binary.AppendUvarint(nil, math.MaxUint64)[:9], 2)
	if _, n := MinimalUvarint(tooLarge); n != 0 {
		t.Errorf("%x, of 65 bits, has %d bytes", tooLarge, n)
	}
}

func TestLeadingUint(t *testing.T) {
	tests := []struct {
		in   string
		v    uint64
		size int
	}{
		{"\x08\x05\x10\x01", 5, 2}, {"\x08\xac\x02", 300, 3}, {"\x10\x05", 0, 0}, {"\x08", 0, 0},
		{"\x08\x80", 0, 0}, {"\x08\x85\x00", 0, 0}, {"", 0, 0},
	}
	for _, tt := range tests {
		if v, n := LeadingUint([]byte(tt.in), 0x08); v != tt.v || n != tt.size {
			t.Errorf("%x: got %d of %d bytes, want %d of %d", tt.in, v, n, tt.v, tt.size)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	b := sample()
	if n := testing.AllocsPerRun(100, func() {
		for f, err := range All(b) {
			if err != nil || f.Num == 0 {
				t.Fatal(err)
			}
		}
		Bytes(b, 2)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAll(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, b []byte) {
		end := 0
		for got, err := range All(b) {
			if err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Off != end {
					t.Fatalf("error %v behind the field that ends at %d", err, end)
				}
				return
			}
			_, _, n := protowire.ConsumeField(b[end:])
			if got.Off != end || n < 0 {
				t.Fatalf("field at %d, want %d; protowire says %d", got.Off, end, n)
			}
			end += n
		}
		if end != len(b) {
			t.Fatalf("read up to %d of %d bytes", end, len(b))
		}
	})
}
