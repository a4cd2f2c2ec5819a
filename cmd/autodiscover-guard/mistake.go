package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// What is said of a command line that cannot be meant as it stands, with the right spelling where one is near.

// wrongFlag says what is wrong with a flag, or its value.
func wrongFlag(cmd *cobra.Command, err error) error {
	lists := cmd.CommandPath() + " --help lists the flags"
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if right := didYouMean(cmd, missing.GetSpecifiedName()); right != "" {
			return hint(err, "did you mean %s? %s", right, lists)
		}
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok { // whose own words are those of strconv
		wants := map[string]string{"int": "not a number", "bool": "neither true nor false"}
		if is := wants[invalid.GetFlag().Value.Type()]; is != "" {
			err = fmt.Errorf("--%s: %q is %s", invalid.GetFlag().Name, invalid.GetValue(), is)
		}
	}
	return hint(err, "%s", lists)
}

// didYouMean is what was probably meant by a flag of cmd that does not exist: another one, or the command of that name, as in --demo, or that of "run" where the command was
// left out; or "".
func didYouMean(cmd *cobra.Command, name string) string {
	for _, child := range cmd.Commands() {
		if child.Name() == "run" && child.Flags().Lookup(name) != nil {
			return child.CommandPath() + " --" + name
		}
	}
	for _, child := range cmd.Commands() {
		if child.Name() == name {
			return child.CommandPath()
		}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := spelling.Nearest(name, names); near != "" {
		return "--" + near
	}
	return guessedFlag(cmd, name)
}

// refuseEmpty refuses a flag that is given nothing, as by a script whose variable is not set: it would be taken for one that was left out, and a guard
// would start without its configuration, or every trust store be meant instead of one.
func refuseEmpty(flags *pflag.FlagSet) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if len(values) == 0 || slices.Contains(values, "") {
			name, _ := pflag.UnquoteUsage(f)
			err = hint(fmt.Errorf("--%s: it is empty", f.Name), "leave --%s out, or give it %s", f.Name, name)
		}
	})
	return err
}

// noArguments refuses arguments: to a command that has others below it, and to the program itself, they are commands that do not exist.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	above := strings.TrimPrefix(cmd.CommandPath()+" ", program+" ")
	guess := guessedCommands[above+args[0]]
	if !cmd.HasSubCommands() {
		err := fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), args[0])
		if flag := guessedArgument(cmd, args[0]); flag != "" {
			return hint(err, "it is given by a flag: %s", flag)
		}
		if guess != "" {
			return hint(err, "%s", guess)
		}
		return err
	}
	err := fmt.Errorf("unknown command %q", above+args[0])
	near := nearestCommand(cmd, args[0])
	switch {
	case guess != "":
		return hint(err, "%s", guess)
	case near != "":
		return hint(err, "did you mean %q?", above+near)
	case !cmd.HasParent():
		return hint(err, "%s alone lists the commands", program)
	}
	return hint(err, "%s --help lists them", cmd.CommandPath())
}

// nearestCommand is the command below cmd that was probably meant by a word: the one that is spelled like it, or the only one that begins so; or "".
func nearestCommand(cmd *cobra.Command, word string) string {
	var names, begun []string
	for _, child := range cmd.Commands() {
		names = append(names, child.Name())
		if strings.HasPrefix(child.Name(), word) {
			begun = append(begun, child.Name())
		}
	}
	if near := spelling.Nearest(word, names); near != "" || len(begun) != 1 {
		return near
	}
	return begun[0]
}
