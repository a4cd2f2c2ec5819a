package dialect

import (
	"iter"
	"strconv"

	"github.com/beevik/etree"
)

// place is where an element stands. It is written out only for the few elements that suggest something.
type place struct {
	up  *place // nil at the root
	tag string
	n   int // counted from 1 where siblings share the name, else 0
}

// maxPath bounds what a path says of where its last step is: names add up, and thousands of suggestions may stand at one place. Real paths have some 150 bytes.
const maxPath = 256

// String is the path: /Autodiscover/Response/Protocol[2].
func (p *place) String() string {
	var short [128]byte
	return string(p.write(short[:0]))
}

func (p *place) write(b []byte) []byte {
	if p == nil {
		return b
	}
	if b = p.up.write(b); len(b) > maxPath {
		b = append(b[:maxPath], "…"...)
	}
	b = append(b, '/')
	b = append(b, p.tag...)
	if p.n > 0 {
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(p.n), 10)
		b = append(b, ']')
	}
	return b
}

// fewChildren is up to how many children their names are compared with each other; beyond, a map counts them.
const fewChildren = 16

// children visits the child elements of an element that stands at up, with their places. A place is valid during the visit.
func children(e *etree.Element, up *place) iter.Seq2[*etree.Element, *place] {
	return func(yield func(*etree.Element, *place) bool) {
		var total, seen map[string]int
		if len(e.Child) > fewChildren {
			total, seen = make(map[string]int), make(map[string]int)
			for c := range e.ChildElementsSeq() {
				total[c.Tag]++
			}
		}
		var at *place // most elements have no children
		for i, token := range e.Child {
			c, ok := token.(*etree.Element)
			if !ok {
				continue
			}
			if at == nil {
				at = &place{up: up}
			}
			at.tag, at.n = c.Tag, 0
			switch {
			case total == nil:
				at.n = numberAmong(e.Child, i, c.Tag)
			case total[c.Tag] > 1:
				seen[c.Tag]++
				at.n = seen[c.Tag]
			}
			if !yield(c, at) {
				return
			}
		}
	}
}

// numberAmong counts the siblings of one name up to the child at i; 0 where there is only that one.
func numberAmong(all []etree.Token, i int, tag string) int {
	before, others := 0, false
	for j, token := range all {
		if c, ok := token.(*etree.Element); ok && j != i && c.Tag == tag {
			others = true
			if j < i {
				before++
			}
		}
	}
	if !others {
		return 0
	}
	return before + 1
}
