package dialect_test

import (
	"fmt"
	"net/url"

	"autodiscover-guard/rules/dialect"
)

// Outlook's service names a stranger beside a server of the lab's own. The dialect tells what is suggested, somebody judges, and the dialect writes
// what is left.
func Example() {
	asked := dialect.Request{
		Method: "GET",
		URL:    &url.URL{Scheme: "https", Host: "prod.autodetect.outlook.cloud.microsoft", Path: "/autodetect/detect", RawQuery: "app=outlook"},
		Header: dialect.Header{"Authorization": {"Basic amFuZUBsYWIudGVzdDo="}}, // jane@lab.test:
	}
	inquiry, ok := dialect.Recognise(asked)
	fmt.Println(ok, inquiry.Dialect, inquiry.Subjects[0].Domain)

	document, err := dialect.Read(inquiry, dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(
		`{"protocols":[{"protocol":"imap","hostname":"mail.lab.test","port":993},{"protocol":"smtp","hostname":"smtp.stranger.net","port":465}]}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	judged := document.Suggestions
	for i := range judged {
		judged[i].Verdict = dialect.Keep
		if judged[i].Host != "mail.lab.test" {
			judged[i].Verdict = dialect.Remove
		}
		fmt.Println(judged[i].Path, judged[i].Was, judged[i].Verdict)
	}
	edited, err := document.Edit(judged)
	fmt.Println(string(edited.Body), err)
	fmt.Println(string(dialect.Refuse(inquiry).Body))
	// Output:
	// true autodetect lab.test
	// /protocols/0/hostname mail.lab.test keep
	// /protocols/0/port 993 keep
	// /protocols/1/hostname smtp.stranger.net remove
	// /protocols/1/port 465 remove
	// {"protocols":[{"protocol":"imap","hostname":"mail.lab.test","port":993}]} <nil>
	// {"email":"jane@lab.test","services":[],"protocols":[]}
}
