package nodecmd

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/raftctl/raftctl/cmd/raftctl/metacmd"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

// printUsage writes the flags in their groups.
func printUsage(w io.Writer, cmd *cobra.Command) error {
	fmt.Fprintf(w, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
	shown := map[string]bool{}
	for _, g := range groups {
		if g.title == "" {
			continue
		}
		fs := pflag.NewFlagSet(g.title, pflag.ContinueOnError)
		fs.SortFlags = false
		for _, row := range g.settings {
			if f := cmd.Flags().Lookup(row.name); f != nil && !f.Hidden {
				fs.AddFlag(f)
				shown[row.name] = true
			}
		}
		fmt.Fprintf(w, "\n%s:\n%s", g.title, fs.FlagUsages())
	}
	rest := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !shown[f.Name] && !f.Hidden {
			rest.AddFlag(f)
		}
	})
	_, err := fmt.Fprintf(w, "\nOther:\n%s", rest.FlagUsages())
	return err
}

// releases are the releases that a member stands for, the latest of each minor version that is known.
var releases = map[string]string{"": "3.7.3", "3.7": "3.7.3", "3.6": "3.6.16", "3.5": "3.5.35"}

// printVersion writes the lines that etcd --version writes, which scripts read.
func printVersion(a *ui.App, s *settings) error {
	_, err := fmt.Fprintf(a.Out, "etcd Version: %s\nGit SHA: raftctl %s\nGo Version: %s\nGo OS/Arch: %s/%s\n",
		releases[s.node.As], metacmd.BuildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
