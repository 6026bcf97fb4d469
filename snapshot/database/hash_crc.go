package database

import (
	"hash/crc32"
	"sync"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// joinCRC returns the checksum of two pieces of data, one behind the other, from those of each and the
// size of the second. A checksum is a polynomial over GF(2), modulo the one that defines it, and to
// append a byte multiplies it by x^8.
func joinCRC(first, second uint32, size int64) uint32 {
	low, high := powers()
	first = multiply(first, low[size%lowPowers])
	for k := 0; size >= lowPowers; k++ {
		size /= lowPowers
		first = multiply(first, high[k][size%lowPowers])
	}
	return first ^ second
}

// lowPowers is how many powers of x^8 are in a table: more than most records have bytes.
const lowPowers = 1 << 13

// powers returns the powers x^(8n) of n less than lowPowers, and in row k of the others those of
// n * lowPowers^(k+1).
var powers = sync.OnceValues(func() (low *[lowPowers]uint32, high *[3][lowPowers]uint32) {
	low, high = new([lowPowers]uint32), new([3][lowPowers]uint32)
	base := xToThe8
	table := low
	for k := range len(high) + 1 {
		table[0] = one
		for n := 1; n < lowPowers; n++ {
			table[n] = multiply(table[n-1], base)
		}
		base = multiply(table[lowPowers-1], base)
		if k < len(high) {
			table = &high[k]
		}
	}
	return low, high
})

// Polynomials as the checksum has them: the highest bit is the coefficient of x^0.
const (
	one     uint32 = 1 << 31
	xToThe8 uint32 = 1 << (31 - 8)
)

// multiply multiplies two polynomials.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31) // all of b if the coefficient is 1
		b = b>>1 ^ crc32.Castagnoli&-(b&1)
	}
	return product
}
