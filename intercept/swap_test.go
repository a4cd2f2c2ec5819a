package intercept_test

import (
	"net/http"
	"testing"

	"autodiscover-guard/rules"
)

func TestSwap_exchangesThatRunKeepTheirPolicy(t *testing.T) {
	asked, swapped := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-swapped
		jsonAnswer("{}")(w, r)
	})
	other, err := rules.New(rules.Config{Open: []string{"another.net"}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-asked
		if err := w.plugin.Swap(other); err != nil {
			t.Error(err)
		}
		close(swapped)
	}()
	client := w.client(false)
	send(t, client, ask(t, "https", "user@lab.test"))
	send(t, client, poxAsk(t, "http://"+docHost+poxPath, "email@example.com"))
	if a, b := w.decision(1)["policy"], w.decision(2)["policy"]; a == other.Revision() || b != other.Revision() {
		t.Errorf("got policies %v and %v, want the second to be %s", a, b, other.Revision())
	}
	if err := w.plugin.Swap(nil); err == nil {
		t.Error("no policy was put in force")
	}
}
