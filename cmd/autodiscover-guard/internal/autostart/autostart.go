// Package autostart writes what has a user's session start the guard: a unit for systemd's user manager, an agent for launchd, a line for the registry of
// Windows. It writes text and changes nothing.
package autostart

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"
)

// Name is that of the unit, the agent and the registry's value.
const Name = "autodiscover-guard"

// Start is what a session starts. Program and Home are needed.
type Start struct {
	// Program is the absolute path of the guard, Config that of its configuration file, empty for none, State that of a state directory that the session would
	// not find by itself, empty for none, and Home the user's directory.
	Program, Config, State, Home string
}

// Piece is what makes one kind of session start it.
type Piece struct {
	// Text is a file for Path or, where that is empty, a command line.
	Text, Path string
	// Begin are the commands that put the file in force, now and at each log-in; End takes it out again, the file too: a session of macOS starts whatever lies there.
	Begin []string
	End   string
}

// For writes the piece for an operating system, named as Go names it (GOOS).
func For(system string, s Start) (Piece, error) {
	if s.Program == "" || s.Home == "" {
		return Piece{}, errors.New("program and home directory are needed")
	}
	if strings.ContainsAny(s.Program+s.Config+s.State+s.Home, "\r\n\x00") {
		return Piece{}, errors.New("a path has more than one line")
	}
	switch system {
	case "linux":
		if strings.ContainsAny(s.Program, `'"\`) { // load-fragment.c, config_parse_exec: string_is_safe
			return Piece{}, fmt.Errorf("systemd starts no program whose path has a quote or a backslash, such as %s", s.Program)
		}
		unit := Name + ".service"
		file := path.Join(s.Home, ".config/systemd/user", unit)
		return Piece{
			Text: fill(unit, s), Path: file,
			Begin: []string{"systemctl --user daemon-reload", "systemctl --user enable --now " + Name},
			End:   "systemctl --user disable --now " + Name + "; rm " + shellWord(file),
		}, nil
	case "darwin":
		agent := Name + ".plist"
		file := path.Join(s.Home, "Library/LaunchAgents", agent)
		return Piece{
			Text: fill(agent, s), Path: file,
			Begin: []string{"launchctl bootstrap gui/$(id -u) " + shellWord(file)},
			End:   "launchctl bootout gui/$(id -u)/" + Name + "; rm " + shellWord(file),
		}, nil
	case "windows":
		const key = `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`
		// For cmd.exe a \" ends what is quoted, and the next one begins it again: what is between them is bare, and what has a meaning there needs a caret.
		bare := strings.NewReplacer("^", "^^", "&", "^&", "%", "^%")
		var quoted []string
		for i, argument := range s.Arguments() {
			if i == 0 || strings.ContainsAny(argument, " %") {
				argument = `\"` + bare.Replace(argument) + `\"`
			}
			quoted = append(quoted, argument)
		}
		return Piece{
			Text: `reg add ` + key + ` /v ` + Name + ` /t REG_SZ /d "` + strings.Join(quoted, " ") + `" /f` + "\r\n",
			End:  `reg delete ` + key + ` /v ` + Name + ` /f`,
		}, nil
	}
	return Piece{}, fmt.Errorf("no session of %s is known that would start it", system)
}

// shellWord is a text as one word of a shell.
func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Arguments are the command line.
func (s Start) Arguments() []string {
	all := []string{s.Program, "run"}
	if s.Config != "" {
		all = append(all, "--config", s.Config)
	}
	if s.State != "" {
		all = append(all, "--state", s.State)
	}
	return all
}

//go:embed templates
var texts embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"unit": unitLine}).ParseFS(texts, "templates/*"))

// fill writes a file from its template, which is a part of the program: one that does not work is a mistake of ours.
func fill(name string, s Start) string {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name, s); err != nil {
		panic(err)
	}
	return b.String()
}

// unitLine is a command line as systemd.service(5) reads it: quotes, backslashes and specifiers mean themselves, and so do variables, which there are none of in the
// path of the program.
func unitLine(arguments []string) string {
	means := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`)
	var all []string
	for i, argument := range arguments {
		argument = means.Replace(argument)
		if i > 0 {
			argument = strings.ReplaceAll(argument, "$", "$$")
		}
		all = append(all, `"`+argument+`"`)
	}
	return strings.Join(all, " ")
}
