package jsontext

import (
	"encoding/base64"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// AppendName appends the name of a member, with a comma where one member precedes it.
func AppendName(dst []byte, name string) []byte {
	dst = append(AppendComma(dst), '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// AppendComma appends a comma where an element precedes.
func AppendComma(dst []byte) []byte {
	if c := dst[len(dst)-1]; c != '{' && c != '[' {
		dst = append(dst, ',')
	}
	return dst
}

// maxSafe is the largest integer up to which every JSON reader has all integers: 2^53.
const maxSafe = 1 << 53

// AppendInt appends an integer: as a number where every reader gets it right, else as a string.
func AppendInt(dst []byte, n int64) []byte {
	if n >= -maxSafe && n <= maxSafe {
		return strconv.AppendInt(dst, n, 10)
	}
	return append(strconv.AppendInt(append(dst, '"'), n, 10), '"')
}

// AppendUint is [AppendInt] for unsigned integers.
func AppendUint(dst []byte, n uint64) []byte {
	if n <= maxSafe {
		return strconv.AppendUint(dst, n, 10)
	}
	return append(strconv.AppendUint(append(dst, '"'), n, 10), '"')
}

// AppendID appends an ID as etcd prints it, as a string: hex, without leading zeros.
func AppendID(dst []byte, id uint64) []byte {
	const digit = 4 // bits
	n := (bits.Len64(id|1) + digit - 1) / digit
	return append(AppendHex(append(dst, '"'), id, n), '"')
}

const hexDigits = "0123456789abcdef"

// AppendHex appends the lowest digits of v.
func AppendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * digits; shift > 0; {
		shift -= 4
		dst = append(dst, hexDigits[v>>shift&0xf])
	}
	return dst
}

// AppendBytes appends a member that holds bytes: as a string under its name where they are UTF-8,
// else as base64 under its name with _base64.
func AppendBytes(dst []byte, name string, data []byte) []byte {
	start := len(dst)
	dst = append(AppendName(dst, name), '"')
	dst, n := appendASCII(dst, data)
	if n == len(data) {
		return append(dst, '"')
	}
	if utf8.Valid(data[n:]) {
		return append(appendText(dst, data[n:]), '"')
	}
	return AppendBase64(dst[:start], name, data)
}

// AppendBase64 appends a member that holds bytes as base64, under its name with _base64.
func AppendBase64(dst []byte, name string, data []byte) []byte {
	dst = append(append(append(AppendComma(dst), '"'), name...), `_base64":"`...)
	return append(base64.StdEncoding.AppendEncode(dst, data), '"')
}
