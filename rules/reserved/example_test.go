package reserved_test

import (
	"fmt"
	"net/netip"

	"autodiscover-guard/rules/reserved"
)

func ExampleSet_Match() {
	for _, name := range []string{"Mail.EU.example.com.", "例子.测试", "lab.test", "notexample.com"} {
		if e, ok := reserved.Default().Match(name); ok {
			fmt.Printf("%s: %s, %v, %s\n", name, e.Name, e.Nature, e.Citation)
		} else {
			fmt.Printf("%s: not reserved\n", name)
		}
	}
	// Output:
	// Mail.EU.example.com.: example.com, documentation, RFC 6761, section 6.5
	// 例子.测试: xn--0zwm56d, documentation, IANA-managed Reserved Domains, test IDN top-level domains
	// lab.test: test, private-use, RFC 6761, section 6.2
	// notexample.com: not reserved
}

func ExampleSet_MatchSubject() {
	e, _ := reserved.Default().MatchSubject("[IPv6:2001:db8::25]")
	fmt.Println(e.Name, e.Nature, e.Citation)
	// Output: 2001:db8::/32 documentation RFC 3849, section 2
}

func ExampleNew() {
	set, err := reserved.New("ietf", "vendor-documentation")
	if err != nil {
		fmt.Println(err)
		return
	}
	e, ok := set.Match("mail.contoso.com")
	fmt.Println(e.Authority, ok)

	_, err = reserved.New("itef")
	fmt.Println(err)
	// Output:
	// Microsoft true
	// unknown set of reserved names "itef"; the sets are ietf, icann, idn-test, informal-private, vendor-documentation
}

func ExampleCanonical() {
	for _, name := range []string{"Example.COM.", "ｅｘａｍｐｌｅ．ｃｏｍ", "ex%61mple.com:443", "[IPv6:2001:DB8:0::1]"} {
		fmt.Println(reserved.Canonical(name))
	}
	// Output:
	// example.com
	// example.com
	// example.com
	// 2001:db8::1
}

func ExampleMatchAddr() {
	e, ok := reserved.MatchAddr(netip.MustParseAddr("::ffff:192.0.2.1"))
	fmt.Println(e.Prefix, e.Nature, ok)
	// Output: 192.0.2.0/24 documentation true
}
