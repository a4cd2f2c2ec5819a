package desktop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What dconf keeps is read by every program itself, from a file below its own directory for configuration, and written by one service of the session, below that
// one's (dconf 0.40, engine/dconf-engine-source-user.c and service/dconf-service.c). Under another HOME or XDG_CONFIG_HOME, as after "sudo -EH", a command reads
// what nobody follows: what it writes arrives all the same, and looks as if it had not.

const dconfService = "ca.desrt.dconf"

// busTime is how long the session's bus may take. Whoever has one that hangs waits for that at each command.
const busTime = 3 * time.Second

// elsewhere says that the session's settings are not those that are read here; it is empty where they are, or where nobody knows.
func (g gnome) elsewhere(ctx context.Context) string {
	if !g.usesDconf() {
		return ""
	}
	environ := g.serviceEnvironment(ctx)
	if environ == nil {
		return ""
	}
	theirs, ours := glibConfigHome(environ), glibConfigHome(g.system.Getenv)
	if theirs == "" || ours == "" || leadsTo(theirs) == leadsTo(ours) {
		return ""
	}
	return fmt.Sprintf("the session keeps its settings below %s, and this command reads %s: run it as the user of the desktop, with that one's HOME and XDG_CONFIG_HOME", theirs, ours)
}

// serviceEnvironment is the environment of the service that writes, which is started for that if need be; nil where it cannot be seen.
func (g gnome) serviceEnvironment(ctx context.Context) func(string) string {
	if !g.system.Run.Has("gdbus") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, busTime)
	defer cancel()
	ask := func(method string, args ...string) (string, error) {
		call := []string{"call", "--session", "--timeout", "2", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus." + method}
		return g.system.Run.Run(ctx, "gdbus", append(call, args...)...)
	}
	if _, err := ask("StartServiceByName", dconfService, "0"); err != nil {
		return nil
	}
	var pid int
	if out, err := ask("GetConnectionUnixProcessID", dconfService); err != nil {
		return nil
	} else if _, err := fmt.Sscanf(out, "(uint32 %d,)", &pid); err != nil {
		return nil
	}
	process := g.system.system(fmt.Sprint("/proc/", pid))
	// Another name of processes than ours, in a container, has another process there, or none.
	if name, err := os.ReadFile(filepath.Join(process, "comm")); err != nil || strings.TrimSpace(string(name)) != "dconf-service" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(process, "environ"))
	if err != nil {
		return nil
	}
	return func(key string) string {
		for variable := range bytes.SplitSeq(text, []byte{0}) {
			if value, found := bytes.CutPrefix(variable, []byte(key+"=")); found {
				return string(value)
			}
		}
		return ""
	}
}

// glibConfigHome is GLib's directory for configuration (g_get_user_config_dir), which takes relative ones as they are; "" where the environment does not say.
func glibConfigHome(getenv func(string) string) string {
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		return dir
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".config")
	}
	return ""
}

// leadsTo is where a path leads, links followed as far as it exists.
func leadsTo(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	up := filepath.Dir(path)
	if up == path {
		return path
	}
	return filepath.Join(leadsTo(up), filepath.Base(path))
}
