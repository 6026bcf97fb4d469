package metacmd

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// version is stamped by the linker; see the Makefile.
var version = ""

func newVersion(a *ui.App) *cobra.Command {
	var out ui.Output
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of raftctl and what it was built with",
		Args:  ui.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return printVersion(a, &out)
		},
	}
	out.Register(cmd)
	return cmd
}

func printVersion(a *ui.App, out *ui.Output) error {
	v := struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{BuildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
	return out.Write(a.Out, v, func() error {
		_, err := io.WriteString(a.Out, VersionLine())
		return err
	})
}

// VersionLine returns what `raftctl --version` prints.
func VersionLine() string {
	return fmt.Sprintf("raftctl %s (%s, %s/%s)\n", BuildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// BuildVersion returns the stamped version, else that of the module, as `go install` records it.
func BuildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
