package main

import (
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Words that other programs have, and somebody who does not know this one tries first. Nearest spellings do not find what they mean here.

const (
	checksConfig = `"run --dry-run --config FILE" says whether the guard would start with it`
	endsGuard    = `Ctrl-C ends a guard; so does kill, with the process that "status" names, and "systemctl stop" where it is a service`
	reloadsGuard = `a changed policy is taken by itself, the rest of a reload at SIGHUP, or by "systemctl reload" of a service`
	startsGuard  = `"run" starts the guard here, "setup autostart --print" says how your session does, "setup gateway --print" how systemd does`
	trustsGuard  = `"ca install" has the clients of this computer trust the authority, "setup on" sends them to the guard`
	distrusts    = `"setup off" and "ca uninstall" take back what "setup on" and "ca install" did`
	firstStart   = `"run" makes the authority at its first start, "ca import" takes another's`
	readsRecords = `"review" reads the decisions of a guard, "review --follow" as they come`
)

// guessedCommands are such words by the command line that they stand in.
var guessedCommands = map[string]string{
	"start": startsGuard, "serve": startsGuard, "stop": endsGuard, "reload": reloadsGuard,
	"install": trustsGuard, "enable": trustsGuard, "on": trustsGuard, "trust": trustsGuard, "init": trustsGuard,
	"uninstall": distrusts, "remove": distrusts, "disable": distrusts, "off": distrusts,
	"log": readsRecords, "logs": readsRecords,
	"validate": checksConfig, "test": checksConfig,
	"config check": checksConfig, "config test": checksConfig, "config validate": checksConfig,
	"ca trust": trustsGuard, "ca remove": distrusts, "ca list": `"ca show"`,
	"ca create": firstStart, "ca init": firstStart,
	"setup enable": trustsGuard, "setup install": trustsGuard, "setup disable": distrusts, "setup remove": distrusts, "setup uninstall": distrusts,
	"policy check": checksConfig, "policy validate": checksConfig, "policy list": `"policy show"`,
}

// guessedFlags are such names of flags of "run".
var guessedFlags = map[string]string{
	"check": "--dry-run", "test": "--dry-run", "validate": "--dry-run",
	"port": "--listen 127.0.0.1:PORT", "debug": "--log-level debug", "verbose": "--log-level debug",
}

// guessedFlag is what was probably meant by a flag of cmd that does not exist, and is like none in its spelling; or "". A single letter is the first of a flag's name.
func guessedFlag(cmd *cobra.Command, name string) string {
	if cmd.Name() == "run" && guessedFlags[name] != "" {
		return guessedFlags[name]
	}
	if len(name) != 1 {
		return ""
	}
	var found []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name[:1] == name {
			found = append(found, "--"+f.Name)
		}
	})
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// guessedArgument is the flag that an argument of a command without arguments probably belongs to, with it; or "".
func guessedArgument(cmd *cobra.Command, argument string) string {
	has := func(flag string) bool { return cmd.Flags().Lookup(flag) != nil }
	ext := filepath.Ext(argument)
	_, notAddress := netip.ParseAddrPort(argument)
	switch {
	case has("config") && (ext == ".yaml" || ext == ".yml"):
		return "--config " + argument
	case has("email") && strings.Contains(argument, "@"):
		return "--email " + argument
	case has("listen") && notAddress == nil:
		return "--listen " + argument
	case has("for"):
		return "--for " + argument
	case has("out"):
		return "--out " + argument
	}
	return ""
}
