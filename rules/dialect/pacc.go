package dialect

var pacc = wireFormat{
	info:      Info{ID: PACC, Name: "pacc"},
	recognise: func(_ Request, _ string) bool { return false },
	read:      func(_ Inquiry, _ text) (*Document, error) { return nil, ErrNoSettings },
	refuse:    func(_ Inquiry) Answer { return notFound() },
}
