package review

import (
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// escapeMarkdown makes text safe inside a cell or a line of Markdown, in which HTML may stand, too.
func escapeMarkdown(text string) string {
	return markdownSpecial.Replace(terminal.Printable(text))
}

var markdownSpecial = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "!", `\!`, "~", `\~`, `\`, `\\`, "#", `\#`,
	"://", `:\/\/`, "www.", `www\.`, "@", `\@`,
)

// escapeFormula keeps spreadsheets from taking text for a formula: what begins with one of these characters gets an apostrophe in front, as OWASP
// ("CSV Injection") advises.
func escapeFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
