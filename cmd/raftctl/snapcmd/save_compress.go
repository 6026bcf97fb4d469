package snapcmd

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// compressions are all there are. A new one is a row here.
var compressions = []struct {
	name   string
	ext    string
	writer func(io.Writer) (io.WriteCloser, error)
	reader func(io.Reader) (io.Reader, error)
}{
	{name: "none"},
	{"zstd", ".zst",
		func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
		},
		func(r io.Reader) (io.Reader, error) {
			z, err := zstd.NewReader(r)
			if err != nil {
				return nil, err
			}
			return z.IOReadCloser(), nil
		}},
	{"s2", ".s2",
		func(w io.Writer) (io.WriteCloser, error) { return s2.NewWriter(w), nil },
		func(r io.Reader) (io.Reader, error) { return s2.NewReader(r), nil }},
	{"snappy", ".sz",
		func(w io.Writer) (io.WriteCloser, error) { return s2.NewWriter(w, s2.WriterSnappyCompat()), nil },
		func(r io.Reader) (io.Reader, error) { return s2.NewReader(r), nil }},
	{"gzip", ".gz",
		func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
}

// compression is a flag, and what comes of it and of OUT's name.
type compression struct {
	flag string
	at   int // in compressions
}

func compressionNames() []string {
	names := make([]string, len(compressions))
	for i, c := range compressions {
		names[i] = c.name
	}
	return names
}

func (c *compression) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.flag, "compress", "",
		"compress OUT: `FORM` is zstd, s2, snappy (framed), gzip or none (default: by the extension of OUT, "+
			".zst, .s2, .sz or .gz, else none)")
	ui.CompleteWith(cmd, "compress", compressionNames())
}

// resolve decides how a file of that name is compressed.
func (c *compression) resolve(out string) error {
	byName := 0
	for i, known := range compressions {
		if known.ext != "" && strings.HasSuffix(out, known.ext) {
			byName = i
		}
	}
	if c.at = byName; c.flag == "" {
		return nil
	}
	c.at = -1
	for i, known := range compressions {
		if known.name == c.flag {
			c.at = i
		}
	}
	switch {
	case c.at < 0:
		return fmt.Errorf("--compress %s, want one of %s", c.flag, strings.Join(compressionNames(), ", "))
	case byName != 0 && byName != c.at:
		return fmt.Errorf("--compress %s with a name that ends in %s, which stands for %s; name it otherwise",
			c.flag, compressions[byName].ext, compressions[byName].name)
	}
	return nil
}

func (c *compression) name() string     { return compressions[c.at].name }
func (c *compression) compresses() bool { return c.at != 0 }

// write compresses a file into an empty one, and reads that again to see that it holds the same.
func (c *compression) write(ctx context.Context, a *ui.App, to, from partFile, s *saved) error {
	p := ui.NewProgress(a, c.name()+" "+s.Path, s.Size)
	defer p.Done()
	sum, size := sha256.New(), byteCount(0)
	z, err := compressions[c.at].writer(io.MultiWriter(to, sum, &size))
	if err != nil {
		return err
	}
	_, err = io.Copy(z, &progressReader{ctx: ctx, r: io.NewSectionReader(from, 0, s.Size), set: p.Set})
	if err := errors.Join(err, z.Close()); err != nil {
		return err
	}
	s.FileSize, s.FileSHA256 = int64(size), hexSum(sum)
	return c.compare(ctx, to, s)
}

// compare reads a compressed file and compares what is in it with what should be.
func (c *compression) compare(ctx context.Context, f partFile, s *saved) error {
	in := &progressReader{ctx: ctx, r: io.NewSectionReader(f, 0, s.FileSize)}
	r, err := compressions[c.at].reader(in)
	if err != nil {
		return err
	}
	if z, ok := r.(io.Closer); ok {
		defer func() { _ = z.Close() }() // read to its end, or useless
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return fmt.Errorf("reading what was written: %w", err)
	}
	if got := hexSum(sum); got != s.plainSHA256 {
		return fmt.Errorf("sha256 %s of what was written, unpacked; want %s", got, s.plainSHA256)
	}
	return nil
}

// byteCount counts what is written to it.
type byteCount int64

func (n *byteCount) Write(b []byte) (int, error) {
	*n += byteCount(len(b))
	return len(b), nil
}

// progressReader tells how far it was read, and ends when its context does.
type progressReader struct {
	ctx  context.Context
	r    io.Reader
	done int64
	set  func(int64) // may be nil
}

func (p *progressReader) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	p.done += int64(n)
	if p.set != nil {
		p.set(p.done)
	}
	return n, err
}
