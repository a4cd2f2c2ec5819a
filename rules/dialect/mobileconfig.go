package dialect

var mobileconfig = wireFormat{
	info:      Info{ID: MobileConfig, Name: "mobileconfig"},
	recognise: func(_ Request, _ string) bool { return false },
	read:      func(_ Inquiry, _ text) (*Document, error) { return nil, ErrNoSettings },
	refuse:    func(_ Inquiry) Answer { return notFound() },
}
