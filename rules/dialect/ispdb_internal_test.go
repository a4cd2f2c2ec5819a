package dialect

import "testing"

func TestISPDB_recognise(t *testing.T) {
	for address, want := range map[string]string{
		"https://autoconfig.thunderbird.net/v1.1/example.com":          "example.com",
		"https://AUTOCONFIG.thunderbird.net./V1.1/Example.COM":         "example.com",
		"https://autoconfig.thunderbird.net//v1.1//example.com/":       "example.com",
		"https://autoconfig.thunderbird.net/v1.1/example.com/.":        "example.com",
		"https://autoconfig.thunderbird.net/v1.1/x/../example.com;v=1": "example.com",
		"https://autoconfig.thunderbird.net/v1.1/%65xample%2Ecom":      "example.com",
		"https://autoconfig.thunderbird.net/v1.1/example%252Ecom":      "example.com",
		"https://autoconfig.thunderbird.net/v1.1/user@example.com":     "example.com",
		"https://autoconfig.thunderbird.net/v1.1/user%2540example.com": "example.com",
		"https://live.thunderbird.net/autoconfig/v1.1/example.com":     "example.com",
		"http://live.mozillamessaging.com/autoconfig/v1.1/example.com": "example.com",
		"https://v1.ispdb.net/example.com":                             "example.com",
		"https://v1.ispdb.net/v1.1/example.com":                        "example.com",
		"https://cdn.v1.ispdb.net/example.com?x=1":                     "example.com",
		"https://autoconfig.thunderbird.net/v1.2/example.com":          "example.com",
		"https://live.thunderbird.net/autoconfig/v2/example.com":       "example.com",
		"https://live.thunderbird.net/autoconfig/vx/example.com":       "",
		"https://live.thunderbird.net/autoconfig/v1./example.com":      "",
		"https://live.thunderbird.net/autoconfig/addons.json":          "",
		"https://live.thunderbird.net/example.com":                     "",
		"https://live.thunderbird.net/autoconfig/v1.1/":                "",
		"https://live.thunderbird.net/autoconfig/v1.1/a/example.com":   "",
		"https://v1.ispdb.net/":                                        "",
		"https://v1.ispdb.net/a/example.com":                           "",
		"https://www.thunderbird.net/autoconfig/v1.1/example.com":      "",
		"https://xv1.ispdb.net/example.com":                            "",
		"https://autoconfig.lab.test/v1.1/example.com":                 "",
	} {
		q, ok := Recognise(asks(t, address))
		if ok && q.Dialect != ISPDB || ok != (want != "") {
			t.Errorf("%s: %v %v", address, q.Dialect, ok)
			continue
		}
		if ok && (len(q.Subjects) != 1 || q.Subjects[0].Domain != want || q.Subjects[0].Carrier != "path") {
			t.Errorf("%s: %+v, want %s", address, q.Subjects, want)
		}
	}
}

// TestISPDB_centralHost: the host of the database is nobody's mail domain.
func TestISPDB_centralHost(t *testing.T) {
	q, _ := Recognise(asks(t, "https://autoconfig.thunderbird.net/v1.1/lab.test?emailaddress=user%40lab.test"))
	for _, s := range q.Subjects {
		if s.Domain != "lab.test" {
			t.Errorf("%+v", s)
		}
	}
}
