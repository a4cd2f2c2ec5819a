package dialect

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"autodiscover-guard/rules/reserved"
)

var (
	pattern  = regexp.MustCompile
	anywhere = pattern(``)
)

// places says once more, and in another way, which requests the dialects claim: hosts and paths as regular expressions over what any
// reader would make of a URL. It is slow and has nothing to do with the code that it holds to account.
var places = []struct {
	id         ID
	host, path *regexp.Regexp
}{
	{Autodetect, pattern(`^(.*\.)?(autodetect\.outlook\.cloud\.microsoft|([a-z]+-)?autodetect\.outlookmobile\.com)$`), pattern(`/detect$`)},
	{SOAP, anywhere, pattern(`^/autodiscover/autodiscover\.svc(/wssecurity(/symmetrickey|/x509cert)?)?$`)},
	{V2, anywhere, pattern(`^/autodiscover/autodiscover\.json(/v\d+(\.\d+)*(/.*)?)?$`)},
	{POX, anywhere, pattern(`^/autodiscover$|/autodiscover/(.*/)?autodiscover\.xml$`)},
	{Autoconfig, anywhere, pattern(`^/\.well-known/(mail-v1|autoconfig/mail/config-v\d+\.\d+)\.xml$|^(/v1\.1)?/mail/config-v\d+\.\d+\.xml$`)},
	{ISPDB, pattern(`^(.*\.)?(v1\.ispdb\.net|(live|autoconfig)\.thunderbird\.net|live\.mozillamessaging\.com)$`), pattern(`^(/autoconfig)?/v1\.1/[^/]+$`)},
	{ISPDB, pattern(`^(.*\.)?v1\.ispdb\.net$`), pattern(`^/[^/]+$`)},
	{PACC, anywhere, pattern(`^/\.well-known/user-agent-configuration\.json$`)},
	{MobileConfig, anywhere, pattern(`\.mobileconfig$|^/mobileconfig(\.php)?$`)},
	{JMAP, anywhere, pattern(`^/\.well-known/jmap$`)},
	{DAV, anywhere, pattern(`^/\.well-known/(cal|card)dav$`)},
	{
		Identity, pattern(`^(.*\.)?(login\.(microsoftonline\.(com|us)|partner\.microsoftonline\.cn|windows\.net)|odc\.officeapps\.live\.com)$`),
		pattern(`^/getuserrealm\.srf$|^/common/(userrealm/.+|getcredentialtype)$|^/odc/(v2\.1/federationprovider|emailhrd/getidp)$|^/[^/]*[^/.]\.[^/]+(/v2\.0)?/\.well-known/openid-configuration$`),
	},
}

// claimed asks the table.
func claimed(t *testing.T, r Request) ID {
	t.Helper()
	host, path := strings.TrimRight(strings.ToLower(r.URL.Hostname()), "."), normalPath(r.URL.Path)
	for _, p := range places {
		if p.host.MatchString(host) && p.path.MatchString(path) {
			if p.id == POX && isMobileSync(r) && len(r.Body) > 0 {
				return MobileSync
			}
			return p.id
		}
	}
	return None
}

// lookalikes come close to a place, or hide one. They are asked at every host.
var (
	lookalikePaths = []string{
		"", "/", "//", "/index.html?x=1", "/a.b/../autodiscover", "/autodiscover/", "/AUTODISCOVER", "/autodiscover.xml", "/xautodiscover/autodiscover.xml",
		"/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml/", "/x/autodiscover/y/autodiscover.xml", "/autodiscover/autodiscover.xml;v=1",
		"/autodiscover/autodiscover.xml.bak", "/autodiscover%2fautodiscover.xml", `/autodiscover\autodiscover.xml`, "/autodiscover/autodiscover.svc",
		"/autodiscover/autodiscover.svc/wssecurity", "/autodiscover/autodiscover.svc/wssecurity/x509cert", "/autodiscover/autodiscover.svc/mex",
		"/autodiscover/autodiscover.json", "/autodiscover/autodiscover.json/v1.0/a@b.c", "/autodiscover/autodiscover.json/vx", "/autodiscover/autodiscover.jsonp",
		"/autodiscover/autodiscover.json/v1.", "/autodiscover/autodiscover.json/v12", "/mail/config-v1.1.xml", "/mail/config-v1.xml", "/mail/config-vx.1.xml",
		"/v1.1/mail/config-v1.1.xml", "/v1.1/shop.com", "/v1.1/", "/v1.1/a/b", "/autoconfig/v1.1/shop.com", "/autoconfig/shop.com", "/shop.com",
		"/.well-known/autoconfig/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.json", "/.well-known/mail-v1.xml", "/.well-known/mail-v2.xml",
		"/.well-known/user-agent-configuration.json", "/.well-known/jmap", "/.well-known/jmap/x", "/.well-known/caldav", "/.well-known/CardDAV/", "/.well-known/dav",
		"/.well-known/acme-challenge/x", "/x.mobileconfig", "/mobileconfig", "/mobileconfig.php", "/mobileconfig/x", "/email.mobileconfig.txt", "/detect", "/autodetect/detect",
		"/detector", "/undetect", "/getuserrealm.srf", "/GetUserRealm.srf", "/common/userrealm/", "/common/userrealm/a@b.c", "/common/GetCredentialType",
		"/odc/v2.1/federationprovider", "/odc/v2.0/federationprovider", "/odc/EmailHrd/getidp", "/odc/emailhrd", "/shop.com/.well-known/openid-configuration", "/common/.well-known/openid-configuration",
		"/shop.com/v2.0/.well-known/openid-configuration", "/a/b.c/.well-known/openid-configuration", "/.well-known/openid-configuration", "/ü/autodiscover",
	}
	lookalikeHosts = []string{
		"www.some-shop.co.uk", "WWW.Some-Shop.co.uk.:8443", "192.0.2.1", "[2001:db8::1]:443", "autodiscover.shop.com", "autodetect.outlook.cloud.microsoft",
		"prod.AUTODETECT.outlook.cloud.microsoft.", "xautodetect.outlook.cloud.microsoft", "autodetect.outlook.cloud.microsoft.evil.net", "outlookmobile.com",
		"prod-autodetect.outlookmobile.com", "eu-autodetect.outlookmobile.com", "xautodetect.outlookmobile.com", "v1.ispdb.net", "a.v1.ispdb.net", "xv1.ispdb.net", "live.thunderbird.net", "addons.thunderbird.net",
		"live.mozillamessaging.com:443", "login.microsoftonline.com", "x.login.windows.net", "xlogin.windows.net", "odc.officeapps.live.com", "live.com",
	}
)

// TestRecognise_claimsWhatTheTableSays compares over every pair of host and path, and sees to it that no two dialects claim the same.
func TestRecognise_claimsWhatTheTableSays(t *testing.T) {
	for _, host := range lookalikeHosts {
		for _, path := range lookalikePaths {
			u, err := url.Parse("https://" + host + path)
			if err != nil {
				t.Fatal(err)
			}
			agrees(t, Request{Method: "GET", URL: u, Header: Header{"Accept": {"*/*"}}})
		}
	}
}

// TestRecognise_claimsTheCorpus compares over every request of the corpus; DNS is asked for in too many ways for a table.
func TestRecognise_claimsTheCorpus(t *testing.T) {
	files, err := filepath.Glob("../testdata/corpus/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range archive.Files {
			if section.Name == "request" && !strings.Contains(file, "/doh/") {
				agrees(t, corpusRequest(t, string(section.Data)))
			}
		}
	}
}

// corpusRequest reads method, URL, and body: the header fields decide about DNS only.
func corpusRequest(t *testing.T, section string) Request {
	t.Helper()
	head, body, _ := strings.Cut(section, "\n\n")
	line, _, _ := strings.Cut(head, "\n")
	words := strings.Fields(line)
	u, err := url.Parse(words[1])
	if err != nil {
		t.Fatal(err)
	}
	return Request{Method: words[0], URL: u, Header: Header{}, Body: []byte(body)}
}

func agrees(t *testing.T, r Request) {
	t.Helper()
	q, _ := Recognise(r)
	if want := claimed(t, r); q.Dialect != want {
		t.Errorf("%s: recognised as %v, the table says %v", r.URL, q.Dialect, want)
	}
	voices := 0
	for _, f := range table() {
		if f != &mobilesync && f.recognise(r, r.Host(), normalPath(r.URL.Path)) { // which is POX with another schema in the body
			voices++
		}
	}
	if voices > 1 && !reserved.Below(r.Host(), ispdbRoot) { // where every path is a domain, and the dialects before it have their say
		t.Errorf("%s is claimed by %d dialects", r.URL, voices)
	}
}

// TestCarrierSubjects_takesNothingFromTheHeap: nearly all traffic of an opened host is about nobody but the host.
func TestCarrierSubjects_takesNothingFromTheHeap(t *testing.T) {
	u, err := url.Parse("https://www.some-shop.co.uk/index.html?x=1&page=2;sort=asc")
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Method: "GET", URL: u, Header: Header{"Accept": {"text/html,*/*;q=0.8"}, "User-Agent": {"Mozilla/5.0"}, "Cookie": {"a=b"}}}
	allocs := testing.AllocsPerRun(100, func() {
		if _, ok := Recognise(r); ok || len(CarrierSubjects(r)) != 1 {
			t.Error("recognised")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
