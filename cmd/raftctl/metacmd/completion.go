package metacmd

import (
	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

func newCompletion(a *ui.App) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print the completion script of a shell",
		Long:      "Prints the completion script for bash, zsh, fish or powershell.",
		Example:   "  source <(raftctl completion bash)",
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return ui.Usagef(cmd, "want one shell: bash, zsh, fish or powershell")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.Out)
			case "fish":
				return root.GenFishCompletion(a.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.Out)
			}
			return ui.Usagef(cmd, "unknown shell %q, want bash, zsh, fish or powershell", args[0])
		},
	}
}
