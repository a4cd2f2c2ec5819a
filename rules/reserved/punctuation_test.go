package reserved_test

import (
	"testing"

	"autodiscover-guard/rules/reserved"
)

func TestPlainPunctuation(t *testing.T) {
	for name, want := range map[string]string{
		"“corp.example.net”":           "corp.example.net",
		"„corp.example.net“":           "corp.example.net",
		"‘corp’.example.net":           "corp.example.net",
		"«corp.example.net»":           "corp.example.net",
		"mail–eu.example.net":          "mail-eu.example.net", // en dash
		"mail\u2011eu.example.net":     "mail-eu.example.net", // non-breaking hyphen
		"mail-eu.example.net":          "mail-eu.example.net",
		"\u200ecorp.example.net":       "corp.example.net",
		"\u202acorp.example.net\u202c": "corp.example.net",
		"corp\u2066.example.net":       "corp.example.net",
		"co\u00adrp.example.net":       "co\u00adrp.example.net", // dropped by IDNA, as are the next two
		"\ufeffcorp.example.net":       "\ufeffcorp.example.net",
		"corp\u200b.example.net":       "corp\u200b.example.net",
		"*.müller.example":             "*.müller.example",
		"ｍａｉｌ－ｅｕ．example.net":          "ｍａｉｌ－ｅｕ．example.net", // all of it ASCII to IDNA
		"例え。テスト":                       "例え。テスト",
		"l·l.example.net":              "l·l.example.net", // Catalan, RFC 5892, appendix A.3
		"צה״ל.example.net":             "צה״ל.example.net",
		"データ・センター.example.net":         "データ・センター.example.net",
		"xn--mller-kva.example.net":    "xn--mller-kva.example.net",
		"नी\u200dव.example.net":        "नी\u200dव.example.net",
		"i❤.example.net":               "i❤.example.net", // some registries take these
	} {
		got, changed := reserved.PlainPunctuation(name)
		if got != want || changed != (want != name) {
			t.Errorf("%q: %q, %v, want %q", name, got, changed, want)
		}
	}
}

func TestDisallowed(t *testing.T) {
	for name, want := range map[string]rune{
		"corp\u3164.example.net":    0x3164, // fillers of Korean letters
		"\u115fcorp.example.net":    0x115f,
		"corp.\u1160.net":           0x1160,
		"corp.example\uffa0":        0xffa0,
		"corp\u0085.example.net":    0x85,
		"corp\ue000.example.net":    0xe000,
		"Corp_1.example.net":        0,
		"MÜLLER.example。":           0,
		"faß.example․net":           0, // a full stop by way of NFKC
		"co\u00adrp.example.net":    0,
		"नी\u200dव.example.net":     0,
		"צה״ל.example.net":          0,
		"i❤.example.net":            0,
		"\U000323b0.example.net":    0, // a Chinese character of Unicode 17, and none of 15
		"xn--mller-kva.example.net": 0,
	} {
		if got := reserved.Disallowed(name); got != want {
			t.Errorf("%q: got %U, want %U", name, got, want)
		}
	}
}
