package display

import "strconv"

// units are the powers of 1024 up to the largest int64.
var units = [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

// AppendSize appends a number of bytes as people read it: 17 B, 1.3 KiB, 61.0 MiB. A negative number
// is shown as 0 B.
//
// Tenths are rounded to the nearest, exactly, and up in the middle: 1280 B are 1.25 KiB, shown as
// 1.3 KiB. What would be shown as 1024.0 is 1.0 of the next unit.
func AppendSize(b []byte, n int64) []byte {
	if n < 1024 {
		return append(strconv.AppendInt(b, max(n, 0), 10), " B"...)
	}
	unit, tenths := 0, uint64(0)
	for tenths = 10 * 1024; tenths >= 10*1024 && unit < len(units)-1; {
		unit++
		tenths = tenthsOf(uint64(n), 10*unit)
	}
	b = strconv.AppendUint(b, tenths/10, 10)
	b = append(b, '.', byte('0'+tenths%10), ' ')
	return append(b, units[unit]...)
}

// tenthsOf returns n / 2^shift in tenths. It doesn't overflow: n is below 2^63, and what is left of
// it is below 2^60.
func tenthsOf(n uint64, shift int) uint64 {
	whole, rest := n>>shift, n&(1<<shift-1)
	return whole*10 + (rest*10+1<<(shift-1))>>shift
}

// FormatSize is [AppendSize] as a string.
func FormatSize(n int64) string { return string(AppendSize(nil, n)) }
