package archive

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// SniffSize is how many bytes of a file [Is] wants to see, or all if the file has fewer: the size
// of a tar header.
const SniffSize = tarBlock

const tarBlock = 512

// maxWindow is the largest zstd window that is accepted: that of zstd --long, with which archives
// of several members' logs are best packed. It is also most of the memory that opening one takes.
const maxWindow = 1 << 27

// format is how a file is compressed.
type format int

const (
	formatPlain format = iota
	formatZstd
	formatGzip
	formatS2
	formatSnappy // framed
)

// magics are what compressed files begin with.
var magics = []struct {
	format format
	magic  string
}{
	{formatZstd, "\x28\xb5\x2f\xfd"},
	{formatGzip, "\x1f\x8b\x08"},
	{formatS2, "\xff\x06\x00\x00S2sTwO"},
	{formatSnappy, "\xff\x06\x00\x00sNaPpY"},
}

// extensions are what the names of compressed files end with.
var extensions = []string{".zst", ".zstd", ".gz", ".s2", ".sz", ".snappy"}

// Unpacked returns what a compressed file of this name is called when it is unpacked.
func Unpacked(name string) string {
	for _, ext := range extensions {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

func sniff(head []byte) format {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format
		}
	}
	// A zstd file may begin with a frame for other programs, which decoders skip.
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}) {
		return formatZstd
	}
	return formatPlain
}

// Is reports whether a file that begins with head is a tar archive or a compressed file.
func Is(head []byte) bool { return sniff(head) != formatPlain || isTar(head) }

// isTar reports whether head begins with the header of a tar entry: only its checksum is common to
// all versions of the format.
func isTar(head []byte) bool {
	const sumOff, sumSize = 148, 8
	if len(head) < tarBlock {
		return false
	}
	field := strings.Trim(string(head[sumOff:sumOff+sumSize]), " \x00")
	want, err := strconv.ParseInt(field, 8, 64)
	if err != nil {
		return false
	}
	unsigned, signed := int64(0), int64(0)
	for i, c := range head[:tarBlock] {
		if i >= sumOff && i < sumOff+sumSize {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

// decompress returns a reader of what r holds when it is unpacked.
func decompress(f format, r io.Reader) (io.ReadCloser, error) {
	switch f {
	case formatZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case formatGzip:
		return gzip.NewReader(r)
	case formatS2:
		return io.NopCloser(s2.NewReader(r)), nil
	case formatSnappy:
		return io.NopCloser(snappy.NewReader(r)), nil
	}
	return nil, errors.New("not compressed")
}
