package dialect

var autoconfig = wireFormat{
	info:      Info{ID: Autoconfig, Name: "autoconfig"},
	recognise: func(_ Request, _ string) bool { return false },
	read:      func(_ Inquiry, _ text) (*Document, error) { return nil, ErrNoSettings },
	refuse:    func(_ Inquiry) Answer { return notFound() },
}
