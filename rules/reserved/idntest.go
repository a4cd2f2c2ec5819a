package reserved

// idnTestRows are the top-level domains of IANA's evaluation of internationalised names: the word "test" in eleven languages, in the root
// from October 2007 to 31 October 2013, and still listed as reserved. They were made for documentation and trial by everybody and nobody
// has hosts there, so their nature is that of example, not that of test.
//
// Each had one name below it, "example" in the same language (例子.测试, пример.испытание). Those have no rows of their own, because the
// top-level row covers them, and as single labels they were never reserved. A Note begins with the U-label; a test encodes it and
// compares.
var idnTestRows = []Entry{
	{Name: "xn--kgbechtv", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "إختبار (Arabic)"},
	{Name: "xn--hgbk6aj7f53bba", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "آزمایشی (Persian)"},
	{Name: "xn--0zwm56d", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "测试 (Chinese, simplified)"},
	{Name: "xn--g6w251d", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "測試 (Chinese, traditional)"},
	{Name: "xn--80akhbyknj4f", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "испытание (Russian)"},
	{Name: "xn--11b5bs3a9aj6g", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "परीक्षा (Hindi)"},
	{Name: "xn--jxalpdlp", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "δοκιμή (Greek)"},
	{Name: "xn--9t4b11yi5a", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "테스트 (Korean)"},
	{Name: "xn--deba0ad", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "טעסט (Yiddish)"},
	{Name: "xn--zckzah", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "テスト (Japanese)"},
	{Name: "xn--hlcj6aya9esc7a", Nature: Documentation, Authority: "IANA", Citation: idnTestSource, Note: "பரிட்சை (Tamil)"},
}

const idnTestSource = "IANA-managed Reserved Domains, test IDN top-level domains"
