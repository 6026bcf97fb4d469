package archive

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// Peek returns the beginning of what a compressed file holds, at most [SniffSize] bytes, and whether
// that is one file: not so if it is a tar archive, compressed or not. r is read from its start. The
// error is the decompressor's.
func Peek(r io.Reader) (head []byte, one bool, err error) {
	head, err = begin(r)
	f := sniff(head)
	if err != nil || f == formatPlain {
		return head, !isTar(head), err
	}
	z, err := decompress(f, io.MultiReader(strings.NewReader(string(head)), r))
	if err != nil {
		return nil, true, err
	}
	defer func() { _ = z.Close() }() // what follows is of no interest
	if head, err = begin(z); err != nil {
		return nil, true, err
	}
	return head, !isTar(head), nil
}

// begin reads the first bytes, of which there may be fewer.
func begin(r io.Reader) ([]byte, error) {
	head := make([]byte, SniffSize)
	n, err := io.ReadFull(r, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
		err = nil
	}
	return head[:n], err
}

// Unpack returns what r holds, read as it comes: unpacked, if it is compressed. Closing it doesn't close r.
func Unpack(r io.Reader) (io.ReadCloser, error) {
	head, err := begin(r)
	if err != nil {
		return nil, err
	}
	whole := io.MultiReader(bytes.NewReader(head), r)
	if f := sniff(head); f != formatPlain {
		return decompress(f, whole)
	}
	return io.NopCloser(whole), nil
}
