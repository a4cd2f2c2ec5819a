package dialect

var v2 = wireFormat{
	info:      Info{ID: V2, Name: "v2"},
	recognise: func(_ Request, _ string) bool { return false },
	read:      func(_ Inquiry, _ text) (*Document, error) { return nil, ErrNoSettings },
	refuse:    func(_ Inquiry) Answer { return notFound() },
}
