package datadir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/archive"
)

// Content is what a file is, told by what it begins with.
type Content uint8

// The contents that are told apart.
const (
	ContentOther    Content = iota
	ContentSegment          // of a log
	ContentArchive          // one that can be looked into
	ContentSnapshot         // a .snap file
	ContentDatabase         // a bbolt database: member/snap/db, or what snapshot save wrote
	ContentText
	ContentLFS  // a pointer of Git LFS: the file itself was not fetched
	ContentHTML // a web page, as a failed download leaves it
	ContentXZ
	ContentBzip2
	ContentZip
)

// contents says of each content what it is and, where a file of it is of no use, what to do.
var contents = [...]string{
	ContentOther:    "neither a segment nor an archive",
	ContentSegment:  "a segment",
	ContentArchive:  "an archive",
	ContentSnapshot: "a snapshot file (.snap)",
	ContentDatabase: "a bbolt database, such as member/snap/db or the result of snapshot save",
	ContentText:     "a text",
	ContentLFS:      "a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'",
	ContentHTML:     "a web page",
	ContentXZ:       "compressed with xz; unpack it with 'xz -d'",
	ContentBzip2:    "compressed with bzip2; unpack it with 'bzip2 -d'",
	ContentZip:      "a zip archive; unpack it with 'unzip'",
}

// String says what a file of this content is.
func (c Content) String() string { return contents[c] }

// ContentError is returned for a file that holds no log, or no state. It is ErrNoLog or ErrNoState.
type ContentError struct {
	Content Content
	Head    []byte // its first bytes, at most 8

	want error // ErrNoLog or ErrNoState
}

// Error says what the file is instead.
func (e *ContentError) Error() string {
	what := e.Content.String()
	if e.Content == ContentOther && e.want == ErrNoState {
		what = "neither a database, a snapshot file nor an archive"
	}
	if e.Content == ContentOther || e.Content == ContentText {
		return fmt.Sprintf("%v: the file begins with %x, %s", e.want, e.Head, what)
	}
	return fmt.Sprintf("%v: the file is %s", e.want, what)
}

// Is reports whether target is what the file doesn't hold.
func (e *ContentError) Is(target error) bool { return target == e.want }

// contentOf tells what a file is. A segment with a damaged head is told by its name, unless what lies
// there was plainly put in its place.
func contentOf(fsys fs.FS, name, suffix string) (Content, []byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return 0, nil, bare(err)
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	head := make([]byte, archive.SniffSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil, bare(err)
	}
	head = head[:n]
	c := Sniff(head)
	if at, ok := f.(io.ReaderAt); ok && (c == ContentOther || c == ContentText) && hasPages(at) {
		c = ContentDatabase
	}
	switch c {
	case ContentSegment, ContentArchive, ContentLFS, ContentHTML:
	default:
		if isSegmentLike(path.Base(name), suffix) {
			c = ContentSegment
		}
	}
	return c, head[:min(n, 8)], nil
}

var magics = []struct {
	content Content
	magic   string
}{
	{ContentXZ, "\xfd7zXZ\x00"},
	{ContentBzip2, "BZh"},
	{ContentZip, "PK\x03\x04"},
	{ContentLFS, "version https://git-lfs"},
}

// Sniff tells what a file that begins with head is.
func Sniff(head []byte) Content {
	switch {
	case beginsSegment(head):
		return ContentSegment
	case archive.Is(head):
		return ContentArchive
	case isDatabase(head):
		return ContentDatabase
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.content
		}
	}
	switch trimmed := bytes.ToLower(bytes.TrimSpace(head)); {
	case bytes.HasPrefix(trimmed, []byte("<!doctype html")), bytes.HasPrefix(trimmed, []byte("<html")):
		return ContentHTML
	case isSnapshot(head):
		return ContentSnapshot
	case isText(head):
		return ContentText
	}
	return ContentOther
}

// beginsSegment reports whether head is that of a segment: a frame with a crc record, 08 04 10 and a
// checksum of one to five bytes. Etcd 2.x wrote no padding, so the header's top byte is left out.
func beginsSegment(head []byte) bool {
	const header, least, most = 8, 4, 8
	if len(head) < header+least {
		return false
	}
	size := binary.LittleEndian.Uint64(head) & (1<<56 - 1)
	return size >= least && size <= most && bytes.HasPrefix(head[header:], []byte{8, 4, 0x10})
}

// hasPages reports whether a file whose head doesn't tell is a database: some of the pages behind the
// first two say their own number, and are of a kind that there is.
func hasPages(f io.ReaderAt) bool {
	const (
		header                 = 12 // bytes of a page's header that are looked at
		leastPage, mostPage    = 1 << 9, 1 << 16
		first, last, enough    = 2, 34, 2
		branch, leaf, freelist = 1, 2, 16
	)
	b := make([]byte, header)
	for size := int64(leastPage); size <= mostPage; size <<= 1 {
		pages := 0
		for id := int64(first); id < last; id++ {
			if n, _ := f.ReadAt(b, id*size); n < header {
				break
			}
			flags := binary.LittleEndian.Uint16(b[8:])
			if binary.LittleEndian.Uint64(b) == uint64(id) && (flags == branch || flags == leaf || flags == freelist) {
				pages++
			}
		}
		if pages >= enough {
			return true
		}
	}
	return false
}

// isSnapshot reports whether head is that of a .snap file: a checksum, and behind it the data.
func isSnapshot(head []byte) bool {
	if len(head) < 2 || head[0] != 0x08 {
		return false
	}
	_, n := binary.Uvarint(head[1:])
	return n > 0 && n <= 5 && len(head) > 1+n && head[1+n] == 0x12
}

// isText reports whether head is text, though perhaps cut off within a character.
func isText(head []byte) bool {
	for b := head; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			return len(head) > utf8.UTFMax && len(b) < utf8.UTFMax
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return len(head) > 0
}
