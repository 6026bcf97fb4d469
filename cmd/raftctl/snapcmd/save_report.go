package snapcmd

import (
	"fmt"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/verdict"
)

// saved is what a file that was saved holds.
type saved struct {
	Path           string          `json:"path"`
	Source         string          `json:"source"`
	Verdict        verdict.Verdict `json:"verdict"`
	Revision       int64           `json:"revision,omitempty"`
	Size           int64           `json:"size"`
	FileSize       int64           `json:"file_size"`
	Compression    string          `json:"compression"`
	SHA256         string          `json:"sha256"`
	FileSHA256     string          `json:"file_sha256"`
	ServerVersion  string          `json:"server_version,omitempty"`
	StorageVersion string          `json:"storage_version,omitempty"`
	ClusterID      string          `json:"cluster_id,omitempty"`
	MemberID       string          `json:"member_id,omitempty"`
	Seconds        float64         `json:"seconds"`

	plainSHA256 string // of the file as it is uncompressed, with what is behind the database
}

func (s *saved) print(a *ui.App) error {
	f := ui.NewFacts(a.Text()).Wrap(a.Width)
	f.Add("saved", "%s", ui.Quote(s.Path))
	f.Add("from", "%s", ui.Quote(s.Source))
	if s.MemberID != "" {
		f.Add("member", "%s of cluster %s, etcd %s", s.MemberID, s.ClusterID, s.ServerVersion)
	}
	if s.Verdict == verdict.OK {
		f.Add("revision", "%d", s.Revision)
	} else {
		f.Add("verdict", "%s", a.Paint(ui.Yellow, "the database was not verified"))
	}
	f.Add("size", "%s", display.FormatSize(s.Size))
	if s.FileSize != s.Size {
		f.Add("on disk", "%s with %s, %.1f %% of it", display.FormatSize(s.FileSize), s.Compression,
			100*float64(s.FileSize)/float64(s.Size))
	}
	f.Add("database", "sha256 %s", s.SHA256)
	f.Add("file", "sha256 %s", s.FileSHA256)
	f.Add("took", "%s", s.took())
	return f.Flush()
}

// took says how long it took, and how fast that was.
func (s *saved) took() string { return tookText(s.Seconds, s.Size) }

func tookText(seconds float64, size int64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(10 * time.Millisecond)
	if seconds <= 0 {
		return d.String()
	}
	return fmt.Sprintf("%v, %s/s", d, display.FormatSize(int64(float64(size)/seconds)))
}
