package companion

import "strings"

// unbound writes configuration for Unbound (1.6 and later). A typetransparent zone answers what its data say and asks upstream for
// everything else.
func unbound(f Facts) []byte {
	d := denialOf(f)
	var b strings.Builder
	b.WriteString(comment("#", d.about(f)))
	b.WriteString("server:\n")
	zone := func(name, kind string) { b.WriteString("\tlocal-zone: \"" + name + ".\" " + kind + "\n") }
	for _, name := range d.zones {
		zone(name, "always_nxdomain")
	}
	for _, name := range d.exempt {
		zone(name, "transparent")
	}
	for _, name := range d.nullMX {
		zone(name, "typetransparent")
		b.WriteString("\tlocal-data: \"" + name + ". MX 0 .\"\n")
	}
	for _, name := range d.names {
		zone(name, "always_nxdomain")
	}
	return []byte(b.String())
}
