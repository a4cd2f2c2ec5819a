package dialect

import "fmt"

// scanXML looks at the bytes before the parser does, and refuses what the parser would take long to refuse. encoding/xml reads a whole element
// with all of its attributes, and a whole text, before anybody can count; a MiB of attributes cost 75 MB. The limits here are far above those
// that the tree is held to (check), because a look at bytes takes a mark inside a comment or a value for one of the document.
func scanXML(data []byte) error {
	if len(data) > 0 && data[0] != '<' {
		return fmt.Errorf("%w: text beside the XML root", ErrUnreadable)
	}
	marks, equals, all, inside := 0, 0, 0, false
	for _, c := range data {
		switch c {
		case '<':
			marks, equals, inside = marks+1, 0, true
		case '>':
			inside = false
		case '=':
			if inside {
				equals++
				all++
			}
		}
		if marks > 4*maxNodes || equals > 16*maxAttributes || all > 8*maxNodes {
			return fmt.Errorf("%w: XML beyond %d elements or %d attributes", ErrUnreadable, maxNodes, maxAttributes)
		}
	}
	return nil
}
