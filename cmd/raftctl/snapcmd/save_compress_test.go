package snapcmd

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
)

// unpackers are libraries that read what was compressed, told by what it begins with.
var unpackers = map[string]struct {
	magic  string
	reader func(io.Reader) (io.Reader, error)
}{
	"zstd": {"\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) {
		z, err := zstd.NewReader(r)
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}},
	"s2":     {"\xff\x06\x00\x00S2sTwO", func(r io.Reader) (io.Reader, error) { return s2.NewReader(r), nil }},
	"snappy": {"\xff\x06\x00\x00sNaPpY", func(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil }},
	"gzip":   {"\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
}

// A compressed file holds what the other would, in the form that was asked for, or that its name says.
func TestSaveCompressed(t *testing.T) {
	w := newWorld(t)
	dir := corpus.Dir(t, "c36-multiseg-1n-clean")
	plain := w.saved(t, dir, "plain.db")
	want := w.read(t, "plain.db")
	for _, tc := range []struct{ out, flag, form string }{
		{"a.zst", "", "zstd"}, {"a.s2", "", "s2"}, {"a.sz", "", "snappy"}, {"a.gz", "", "gzip"}, {"a.db", "", "none"},
		{"b", "zstd", "zstd"}, {"c", "s2", "s2"}, {"d", "snappy", "snappy"}, {"e", "gzip", "gzip"},
		{"f", "none", "none"}, {"g.gz", "gzip", "gzip"}, {"h.zst.db", "", "none"},
	} {
		args := []string{dir, tc.out}
		if tc.flag != "" {
			args = append(args, "--compress", tc.flag)
		}
		s := w.saved(t, args...)
		b := w.read(t, tc.out)
		if s.Compression != tc.form || s.FileSize != int64(len(b)) || s.SHA256 != plain.SHA256 || s.Size != plain.Size {
			t.Errorf("%s: %+v of %d bytes, want %s of %+v", tc.out, s, len(b), tc.form, plain)
		}
		if tc.form != "none" {
			b = unpack(t, tc.form, b)
		}
		if !bytes.Equal(b, want) {
			t.Errorf("%s: %d bytes, want the %d of the plain file", tc.out, len(b), len(want))
		}
	}
	for _, name := range w.files(t) {
		if len(name) > len("h.zst.db") && name != "plain.db" {
			t.Errorf("%s is left", name)
		}
	}
	if got := compressionNames(); !slices.Equal(got, []string{"none", "zstd", "s2", "snappy", "gzip"}) {
		t.Errorf("forms %q", got)
	}
}

func unpack(t *testing.T, form string, b []byte) []byte {
	t.Helper()
	u := unpackers[form]
	if !bytes.HasPrefix(b, []byte(u.magic)) {
		t.Errorf("%s begins with %q, want %q", form, b[:min(len(b), 10)], u.magic)
	}
	r, err := u.reader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A compressor whose result doesn't hold what went in is noticed.
func TestSaveCompressedWrongly(t *testing.T) {
	w := newWorld(t)
	real := compressions[1].writer
	t.Cleanup(func() { compressions[1].writer = real })
	for name, writer := range map[string]func(io.Writer) (io.WriteCloser, error){
		"other":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"less":   func(w io.Writer) (io.WriteCloser, error) { z, err := real(w); return &dropping{WriteCloser: z}, err },
		"cut":    func(w io.Writer) (io.WriteCloser, error) { return real(&limited{w: w, left: 10}) },
		"silent": func(io.Writer) (io.WriteCloser, error) { return real(io.Discard) },
	} {
		compressions[1].writer = writer
		w.save(t, ui.StatusError, "what was written", corpus.Dir(t, "c36-multiseg-1n-clean"), "a.zst")
		if files := w.files(t); len(files) > 0 {
			t.Errorf("%s: %q is left", name, files)
		}
	}
}

// dropping swallows the first write.
type dropping struct {
	io.WriteCloser
	any bool
}

func (d *dropping) Write(b []byte) (int, error) {
	if !d.any {
		d.any = true
		return len(b), nil
	}
	return d.WriteCloser.Write(b)
}

// limited swallows what follows some bytes.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(l.left, len(b))
	l.left -= n
	if _, err := l.w.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}
