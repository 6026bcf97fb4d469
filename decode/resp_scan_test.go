package decode

import (
	"strings"
	"testing"
)

// values are whole values of RESP.
var values = []string{
	"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n",
	"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n$4\r\n\r\n\r\n\r\n", "%1\r\n+k\r\n*1\r\n:1\r\n", "_\r\n", "#t\r\n",
}

// A value ends where it does, however its bytes come, and whatever follows.
func TestRespScanner(t *testing.T) {
	for _, v := range values {
		var s RespScanner
		for n := 1; n < len(v); n++ {
			if got, err := s.Scan([]byte(v[:n])); got != 0 || err != nil {
				t.Fatalf("%q: %d of %q, %v", v, got, v[:n], err)
			}
		}
		for range 2 { // one value after the other
			if got, err := s.Scan([]byte(v + "*1\r\n")); got != len(v) || err != nil {
				t.Errorf("%q: %d, %v", v, got, err)
			}
		}
	}
	for v, want := range map[string]string{
		"\r\n":                           "offset 0: empty line",
		"GET k\r\n":                      "offset 0: 'G', want a value",
		"$x\r\n":                         `offset 0: length "x", want -1 to 536870912`,
		"$-2\r\n":                        `offset 0: length "-2"`,
		"*99999999\r\n":                  `offset 0: length "99999999", want -1 to 1048576`,
		"*1\r\n$1\r\nabc\r\n":            "offset 4: string of another length",
		strings.Repeat("*1\r\n", 33):     "offset 128: arrays in arrays, more than 32 deep",
		"+" + strings.Repeat("x", 70000): "offset 0: line of more than 65536 bytes",
	} {
		var s RespScanner
		if n, err := s.Scan([]byte(v)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.20q: %d, %v, want %s", v, n, err, want)
		}
	}
}

func TestRespCommand(t *testing.T) {
	for _, tc := range []struct {
		in, name, key string
		args          int
		ok            bool
	}{
		{"*3\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\nv\r\n", "SET", "k", 2, true},
		{"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n", "AUTH", "", 1, true},
		{"auth secret\r\n", "AUTH", "", 1, true},
		{"get k\r\n", "GET", "k", 1, true},
		{"+OK\r\n", "", "", 0, false},
		{"\r\n", "", "", 0, false},
		{"*1\r\n:1\r\n", "", "", 0, false},
		{"", "", "", 0, false},
	} {
		name, key, args, err := RespCommand([]byte(tc.in))
		if name != tc.name || string(key) != tc.key || args != tc.args || (err == nil) != tc.ok {
			t.Errorf("%q: %s %q, %d arguments, %v", tc.in, name, key, args, err)
		}
	}
}

// A scanner that is given the bytes in two parts finds what one finds that has them all.
func FuzzRespScanner(f *testing.F) {
	for _, v := range values {
		f.Add([]byte(v), 2)
	}
	f.Fuzz(func(t *testing.T, b []byte, part int) {
		var all, parts RespScanner
		n, err := all.Scan(b)
		if n < 0 || n > len(b) {
			t.Fatalf("%q: %d", b, n)
		}
		first, failed := parts.Scan(b[:min(max(part, 0), len(b))])
		if first == 0 && failed == nil {
			first, failed = parts.Scan(b)
		}
		if first != n || (failed == nil) != (err == nil) {
			t.Errorf("%q: %d, %v at once, %d, %v in parts", b, n, err, first, failed)
		}
		_, _, _, _ = RespCommand(b)
	})
}
