package dialect

import (
	"sync"

	"github.com/beevik/etree"
)

// xmlArena is where the nodes of plain documents lie, side by side and one document after the other: to allocate each for itself would cost more
// than to read it. What lies beyond the numbers of used nodes is zero.
type xmlArena struct {
	elements []etree.Element
	texts    []etree.CharData
	children []etree.Token
	// how many of them are used
	usedElements, usedTexts, usedChildren int
	// open are the children so far of the elements around what is read, the innermost's last; at the end it is the root.
	open []etree.Token
}

// maxPooled is how many nodes of a kind an arena may have to be used again.
const maxPooled = 256

var xmlArenas = sync.Pool{New: func() any { return new(xmlArena) }}

// takeXMLArena takes an arena for a document of so many tags out of the pool.
func takeXMLArena(tags int) *xmlArena {
	r := xmlArenas.Get().(*xmlArena)
	if n := wanted(tags); len(r.elements) < n {
		r.elements, r.texts, r.children = make([]etree.Element, n), make([]etree.CharData, n), make([]etree.Token, 2*n)
	}
	return r
}

// free gives the arena back to the pool. Nobody may hold on to a node.
func (r *xmlArena) free() {
	if r == nil || len(r.elements) > maxPooled || len(r.texts) > maxPooled || len(r.children) > 2*maxPooled || cap(r.open) > maxPooled {
		return
	}
	clear(r.elements[:r.usedElements])
	clear(r.texts[:r.usedTexts])
	clear(r.children[:r.usedChildren])
	clear(r.open[:cap(r.open)])
	r.usedElements, r.usedTexts, r.usedChildren, r.open = 0, 0, 0, r.open[:0]
	xmlArenas.Put(r)
}

// wanted is for how many nodes of a kind memory is taken at once, where left tags are to come: for all of them, most of which have two tags, but
// not for a hostile document as a whole before it is read.
func wanted(left int) int { return min(1+left/2, maxPooled) }

func (r *xmlArena) element(left int) *etree.Element {
	if r.usedElements == len(r.elements) {
		r.elements, r.usedElements = make([]etree.Element, wanted(left)), 0
	}
	r.usedElements++
	return &r.elements[r.usedElements-1]
}

func (r *xmlArena) text(data string, left int) *etree.CharData {
	if r.usedTexts == len(r.texts) {
		r.texts, r.usedTexts = make([]etree.CharData, wanted(left)), 0
	}
	r.usedTexts++
	c := &r.texts[r.usedTexts-1]
	c.Data = data
	return c
}

// adopt gives an element, whose end tag was read, its children: those that are open from mark on.
func (r *xmlArena) adopt(e *etree.Element, mark, left int) {
	n := len(r.open) - mark
	if len(r.children)-r.usedChildren < n {
		r.children, r.usedChildren = make([]etree.Token, max(n, 2*wanted(left))), 0
	}
	from := r.usedChildren
	r.usedChildren += n
	e.Child = r.children[from:from:r.usedChildren]
	for _, c := range r.open[mark:] {
		e.AddChild(c)
	}
	r.open = append(r.open[:mark], e)
}
