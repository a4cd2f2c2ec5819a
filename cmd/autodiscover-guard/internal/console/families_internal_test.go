package console

import "testing"

func TestSeries(t *testing.T) {
	for want, got := range map[string]string{
		"autodiscover_guard_clients":                                    Series("clients"),
		`autodiscover_guard_x_total{a="",b="two words"}`:                Series("x_total", "a", "", "b", "two words"),
		`autodiscover_guard_x_total{rule="a\"b\\c\nd"}`:                 Series("x_total", "rule", "a\"b\\c\nd"),
		"autodiscover_guard_x_total{rule=\"lab\u200b\u00a0\te\u0301\"}": Series("x_total", "rule", "lab\u200b\u00a0\te\u0301"),
		"autodiscover_guard_x_total{rule=\"a\ufffdb\"}":                 Series("x_total", "rule", "a\xffb"),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Series of one family stand together and in their order, wherever they were written, below one line about each family.
func TestDescribed(t *testing.T) {
	got := string(described([]byte("autodiscover_guard_refused_total{why=\"a { b\"} 1\nprocess_open_fds 7\nautodiscover_guard_clients 2\n" +
		"autodiscover_guard_refused_total{why=\"loop\"} 0\nunknown 3\n")))
	want := "# HELP autodiscover_guard_clients " + families["clients"].help + "\n# TYPE autodiscover_guard_clients gauge\nautodiscover_guard_clients 2\n" +
		"# HELP autodiscover_guard_refused_total " + families["refused_total"].help + "\n# TYPE autodiscover_guard_refused_total counter\n" +
		"autodiscover_guard_refused_total{why=\"a { b\"} 1\nautodiscover_guard_refused_total{why=\"loop\"} 0\n" +
		"# HELP process_open_fds " + foreign + "\nprocess_open_fds 7\n# HELP unknown " + foreign + "\nunknown 3\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
