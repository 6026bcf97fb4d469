package correct

import (
	"hash/crc32"
	"math/bits"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// lowOf gives the low byte of a CRC register from the upper byte of what became of it: see back.
var lowOf = func() (t [256]byte) {
	for i := range t {
		t[castagnoli[i]>>24] = byte(i)
	}
	return t
}()

// back undoes what one byte of zeros did to a CRC register.
func back(r uint32) uint32 {
	lo := lowOf[r>>24]
	return (r^castagnoli[lo])<<8 | uint32(lo)
}

// backBy undoes what n bytes of zeros did to a CRC register.
func backBy(r uint32, n int64) uint32 {
	for ; n > 0; n-- {
		r = back(r)
	}
	return r
}

// before returns the checksum from which a chain came to sum by n bytes of data, which take the
// checksum 0 to fresh.
func before(sum, fresh uint32, n int64) uint32 { return backBy(sum^fresh, n) }

// oneBit reports whether exactly one bit of v is set.
func oneBit(v uint32) bool { return bits.OnesCount32(v) == 1 }

// forth is what one byte of zeros does to a CRC register.
func forth(r uint32) uint32 { return r>>8 ^ castagnoli[byte(r)] }

// forthBy is what n bytes of zeros do to a CRC register. It takes as long for many as for few: n bytes
// multiply the register, as a polynomial, by x to the power of 8n.
func forthBy(r uint32, n int64) uint32 {
	for square := forth(one); n > 0; n >>= 1 {
		if n&1 != 0 {
			r = multiply(r, square)
		}
		square = multiply(square, square)
	}
	return r
}

// one is the polynomial 1 in a CRC register, whose uppermost bit has the lowest power.
const one = 1 << 31

// multiply multiplies two polynomials in a CRC register.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a&one != 0 {
			product ^= b
		}
		b = b>>1 ^ -(b&1)&crc32.Castagnoli
	}
	return product
}
