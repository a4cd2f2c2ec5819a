package dialect

import "testing"

// TestParseXML_wellFormed: what encoding/xml reads and the grammar does not know is read, and is not plain; in recovery libxml2 2.9.14 reads x.y in these, if anything, in the place of x&.y.
func TestParseXML_wellFormed(t *testing.T) {
	for body, want := range map[string]bool{
		`<a>x&amp;.y</a>`: true,
		`<?xml version="1.0" encoding="utf-8"?><a>x&amp;.y</a>`:                                              true,
		"<?xml\tversion = '1.0'\nencoding\r= 'Utf-8' standalone='no' ?>\n<a c='>' d = \"'\"\n>x&amp;.y</a >": true,
		"\n<a b='1'\tc='2'/>":                                                              true,
		"<a>x&amp;.y</a> \r\n\t":                                                           true,
		"<?xml version=\"1.0\"?>\u0085<a>x&amp;.y</a>":                                     false,
		"<a>x&amp;.y</a>\u00a0":                                                            false,
		"\n<?xml version=\"1.0\"?><a>x&amp;.y</a>":                                         false,
		"\n<?xml version=\"1.0\" standalone='no'?><a>x&amp;.y</a>":                         false,
		`<?XML version="1.0"?><a>x&amp;.y</a>`:                                             false,
		`<?xml ?><a>x&amp;.y</a>`:                                                          false,
		`<?xml version=1.0?><a>x&amp;.y</a>`:                                               false,
		`<?xml version="1.0" ENCODING="utf-8"?><a>x&amp;.y</a>`:                            false,
		`<?xml version="1.0"encoding="utf-8"?><a>x&amp;.y</a>`:                             false,
		`<?xml version="1.0" encoding=""?><a>x&amp;.y</a>`:                                 false,
		`<?xml version="1.0" encoding="utf-8" encoding="utf-8"?><a>x&amp;.y</a>`:           false,
		`<?xml version="1.0" standalone="maybe"?><a>x&amp;.y</a>`:                          false,
		`<?xml version="1.0" standalone="no" encoding="utf-8"?><a>x&amp;.y</a>`:            false,
		`<?xml encoding="utf-8" version="1.0"?><a>x&amp;.y</a>`:                            false,
		`<?xml version="1.0" x="y"?><a>x&amp;.y</a>`:                                       false,
		`<?xml version="1.0'?><a>x&amp;.y</a>`:                                             false,
		`<?xml version='1.0" encoding="utf-8"?><a>x&amp;.y</a>`:                            false,
		`<a b="&#xD800;">x&amp;.y</a>`:                                                     false,
		`<a><b>&#65;&#0057343;</b>x&amp;.y</a>`:                                            false,
		`<a b="&#xd7FF;&#57344;">x&amp;.y</a>`:                                             true,
		`<?xml version="1.0"?>&#x20;<a>x&amp;.y</a>`:                                       false,
		`<a>x&amp;.y</a>&#10;`:                                                             false,
		`<![CDATA[]]><a>x&amp;.y</a>`:                                                      false,
		`<a>x&amp;.y</a><![CDATA[ ]]>`:                                                     false,
		`<a b="1"c="2">x&amp;.y</a>`:                                                       false,
		`<a><b c=">" d='1'e="2"/>x&amp;.y</a>`:                                             false,
		`<!--"--><a b="-->"c="1">x&amp;.y</a>`:                                             false,
		`<?xml version="1.0"?><a><b c='"d"'/><b c="e" d="f"/><b c="'"></b><b c="/>"/></a>`: true,
	} {
		x, err := parseXML(text{data: []byte(body)})
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if x.plain != want {
			t.Errorf("%s: plain is %t, want %t", body, x.plain, want)
		}
	}
}

// TestParsePlist_doctype: Apple's DOCTYPE stands in front of the root, and nowhere else.
func TestParsePlist_doctype(t *testing.T) {
	const doctype = `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`
	for body, want := range map[string]bool{
		`<?xml version="1.0"?><!-- <a> -->` + doctype + `<plist><string>a.b</string></plist>`: true,
		doctype + `<plist><string>a.b</string></plist>`:                                       true,
		`<plist>` + doctype + `<string>a.b</string></plist>`:                                  false,
		`<plist><string>a` + doctype + `.b</string></plist>`:                                  false,
		`<plist><string>a.b</string></plist>` + doctype:                                       false,
	} {
		if _, _, err := parsePlist(text{data: []byte(body)}); (err == nil) != want {
			t.Errorf("%s: %v, want read: %t", body, err, want)
		}
	}
}
