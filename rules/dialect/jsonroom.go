package dialect

import "sync"

// jsonRoom is where the nodes of plain JSON documents lie, one document after the other; see xmlRoom.
type jsonRoom struct {
	nodes   []jsonNode // as many as the document can have at most
	members []jsonMember
	items   []*jsonNode
	// how many of them are used
	usedNodes, usedMembers, usedItems int
	// openMembers and openItems are of the objects and arrays around what is read, the innermost's last.
	openMembers []jsonMember
	openItems   []*jsonNode
}

var jsonRooms = sync.Pool{New: func() any { return new(jsonRoom) }}

// takeJSONRoom takes room for a document of so many values at most.
func takeJSONRoom(values int) *jsonRoom {
	r := jsonRooms.Get().(*jsonRoom)
	// Each value but the root is an item or the value of a member.
	if len(r.nodes) < values {
		r.nodes, r.members, r.items = make([]jsonNode, values), make([]jsonMember, values), make([]*jsonNode, values)
	}
	return r
}

// free makes the room that of the next document. Nobody may hold on to a node.
func (r *jsonRoom) free() {
	if r == nil || len(r.nodes) > roomKept || cap(r.openMembers) > roomKept || cap(r.openItems) > roomKept {
		return
	}
	clear(r.nodes[:r.usedNodes])
	clear(r.members[:r.usedMembers])
	clear(r.items[:r.usedItems])
	clear(r.openMembers[:cap(r.openMembers)])
	clear(r.openItems[:cap(r.openItems)])
	r.usedNodes, r.usedMembers, r.usedItems = 0, 0, 0
	r.openMembers, r.openItems = r.openMembers[:0], r.openItems[:0]
	jsonRooms.Put(r)
}

// node is the next one; nil where there are more than were expected.
func (r *jsonRoom) node() *jsonNode {
	if r.usedNodes == len(r.nodes) {
		return nil
	}
	r.usedNodes++
	return &r.nodes[r.usedNodes-1]
}

// adoptMembers gives an object the members that are open from mark on. What is added to them later lies elsewhere.
func (r *jsonRoom) adoptMembers(n *jsonNode, mark int) {
	from := r.usedMembers
	r.usedMembers += copy(r.members[from:], r.openMembers[mark:])
	n.members = r.members[from:r.usedMembers:r.usedMembers]
	r.openMembers = r.openMembers[:mark]
}

// adoptItems gives an array the items that are open from mark on.
func (r *jsonRoom) adoptItems(n *jsonNode, mark int) {
	from := r.usedItems
	r.usedItems += copy(r.items[from:], r.openItems[mark:])
	n.items = r.items[from:r.usedItems:r.usedItems]
	r.openItems = r.openItems[:mark]
}
