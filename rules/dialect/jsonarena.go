package dialect

import "sync"

// jsonArena is where the nodes of plain JSON documents lie, one document after the other; see xmlArena.
type jsonArena struct {
	nodes   []jsonNode // as many as the document can have at most
	members []jsonMember
	items   []*jsonNode
	// how many of them are used
	usedNodes, usedMembers, usedItems int
	// openMembers and openItems are of the objects and arrays around what is read, the innermost's last.
	openMembers []jsonMember
	openItems   []*jsonNode
}

var jsonArenas = sync.Pool{New: func() any { return new(jsonArena) }}

// takeJSONArena takes an arena for a document of so many values at most out of the pool.
func takeJSONArena(values int) *jsonArena {
	r := jsonArenas.Get().(*jsonArena)
	// Each value but the root is an item or the value of a member.
	if len(r.nodes) < values {
		r.nodes, r.members, r.items = make([]jsonNode, values), make([]jsonMember, values), make([]*jsonNode, values)
	}
	return r
}

// free gives the arena back to the pool. Nobody may hold on to a node.
func (r *jsonArena) free() {
	if r == nil || len(r.nodes) > maxPooled || cap(r.openMembers) > maxPooled || cap(r.openItems) > maxPooled {
		return
	}
	clear(r.nodes[:r.usedNodes])
	clear(r.members[:r.usedMembers])
	clear(r.items[:r.usedItems])
	clear(r.openMembers[:cap(r.openMembers)])
	clear(r.openItems[:cap(r.openItems)])
	r.usedNodes, r.usedMembers, r.usedItems = 0, 0, 0
	r.openMembers, r.openItems = r.openMembers[:0], r.openItems[:0]
	jsonArenas.Put(r)
}

// node is the next one; nil where there are more than were expected.
func (r *jsonArena) node() *jsonNode {
	if r.usedNodes == len(r.nodes) {
		return nil
	}
	r.usedNodes++
	return &r.nodes[r.usedNodes-1]
}

// adoptMembers gives an object the members that are open from mark on. What is added to them later lies elsewhere.
func (r *jsonArena) adoptMembers(n *jsonNode, mark int) {
	from := r.usedMembers
	r.usedMembers += copy(r.members[from:], r.openMembers[mark:])
	n.members = r.members[from:r.usedMembers:r.usedMembers]
	r.openMembers = r.openMembers[:mark]
}

// adoptItems gives an array the items that are open from mark on.
func (r *jsonArena) adoptItems(n *jsonNode, mark int) {
	from := r.usedItems
	r.usedItems += copy(r.items[from:], r.openItems[mark:])
	n.items = r.items[from:r.usedItems:r.usedItems]
	r.openItems = r.openItems[:mark]
}
