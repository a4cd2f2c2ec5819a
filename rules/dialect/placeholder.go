package dialect

import (
	"bytes"
	"slices"
)

// placeholderMailbox is whom exchangelib (5.5.1) asks about to see how a server wants it to log in, whoever its user is: it asks for that without a password, and reads nothing but the
// status and the challenges. The question says it in the body and in X-AnchorMailbox.
const placeholderMailbox = "DUMMY@example.com"

// WithoutPlaceholder is the inquiry without the account that it names, where that is one which a client makes up in its user's place, and nobody else is named in the body. ok is false
// for any other inquiry, and where the body says more than a question does.
func (q Inquiry) WithoutPlaceholder() (without Inquiry, ok bool) {
	if q.Dialect != SOAP || q.Request.Method != "POST" || !bytes.Contains(q.Request.Body, []byte(placeholderMailbox)) || !q.SecretFree() {
		return Inquiry{}, false
	}
	question := readSOAPQuestion(q.Request)
	if !question.whole || len(question.asked) != 1 || question.asked[0].text != placeholderMailbox {
		return Inquiry{}, false
	}
	q.Subjects = slices.DeleteFunc(slices.Clone(q.Subjects), func(s Subject) bool {
		return s.Address == placeholderMailbox && (s.Carrier == "body" || s.Carrier == "header:X-Anchormailbox")
	})
	return q, true
}
