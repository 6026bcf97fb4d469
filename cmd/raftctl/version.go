package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is stamped by the linker; see the Makefile.
var version = ""

func newVersion(a *app) *cobra.Command {
	out := outputTable
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of raftctl and what it was built with",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			return printVersion(a, out)
		},
	}
	addOutput(cmd, &out)
	return cmd
}

func printVersion(a *app, out output) error {
	if out == outputTable {
		_, err := io.WriteString(a.out, versionLine())
		return err
	}
	return writeJSON(a.out, out, struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
}

func versionLine() string {
	return fmt.Sprintf("raftctl %s (%s, %s/%s)\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// buildVersion returns the stamped version, else that of the module, as `go install` records it.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
