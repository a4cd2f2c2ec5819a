package review

// The scanner for lines that the guard itself wrote: JSON without white space, escapes and other characters than ASCII's printable ones, with keys that
// are known, each once. It gives up at anything else, and then Parse decides. What it does read, Parse reads alike: FuzzScan holds the two
// against each other. It is here for one reason: a real parser reads a third of what a review has to get through in a second.

// cursor walks over a line. Its methods report false at whatever they do not know.
type cursor struct {
	s string
	i int
}

// Scan reads a decision record of the usual form. False means no more than that the line is not usual. Strings in r are parts of line.
func Scan(line string, r *Record) bool {
	r.reset()
	c := cursor{s: line}
	var seen keySet
	return c.object(&seen, func(key string) (uint, bool) { return c.member(key, r) }) &&
		c.i == len(line) && r.Message == recordMessage && r.Schema == recordSchema && r.date() == nil
}

// keySet has a bit for each key of an object.
type keySet uint64

// object reads the members of an object; member reads one value and says which bit its key has.
func (c *cursor) object(seen *keySet, member func(key string) (bit uint, ok bool)) bool {
	if !c.eat('{') {
		return false
	}
	for {
		var key string
		if !c.text(&key) || !c.eat(':') {
			return false
		}
		bit, ok := member(key)
		if !ok || *seen&(1<<bit) != 0 {
			return false
		}
		*seen |= 1 << bit
		if !c.eat(',') {
			return c.eat('}')
		}
	}
}

// member reads the value of a record's key.
func (c *cursor) member(key string, r *Record) (uint, bool) {
	switch key {
	case "level":
		return 0, c.text(&r.Level)
	case "time":
		return 1, c.text(&r.Time)
	case "msg":
		return 2, c.text(&r.Message)
	case "schema":
		return 3, c.number(&r.Schema)
	case "exchange":
		return 4, c.text(&r.Exchange)
	case "mode":
		return 5, c.text(&r.Mode)
	case "action":
		return 6, c.text(&r.Action)
	case "would":
		return 7, c.text(&r.Would)
	case "rule":
		return 8, c.text(&r.Rule)
	case "reason":
		return 9, c.text(&r.Reason)
	case "client":
		return 10, c.text(&r.Client)
	case "door":
		return 11, c.text(&r.Door)
	case "host":
		return 12, c.text(&r.Host)
	case "method":
		return 13, c.text(&r.Method)
	case "path":
		return 14, c.text(&r.Path)
	case "dialect":
		return 15, c.text(&r.Dialect)
	case "reserved_by":
		return 16, c.text(&r.ReservedBy)
	case "policy":
		return 17, c.text(&r.Policy)
	case "authority":
		return 18, c.text(&r.Authority)
	}
	return c.nested(key, r)
}

// nested reads the value of a record's key that is no text.
func (c *cursor) nested(key string, r *Record) (uint, bool) {
	switch key {
	case "status":
		return 19, c.number(&r.Status)
	case "bytes_in":
		return 20, c.number(&r.BytesIn)
	case "bytes_out":
		return 21, c.number(&r.BytesOut)
	case "took_ms":
		return 22, c.number(&r.TookMS)
	case "repeat":
		return 23, c.number(&r.Repeat)
	case "subjects":
		return 24, c.texts(&r.Subjects)
	case "accounts":
		return 25, c.texts(&r.Accounts)
	case "strangers":
		r.Named = true
		return 26, c.texts(&r.Strangers)
	case "suggestions":
		return 27, c.suggestions(&r.Suggestions)
	case "credentials":
		var seen keySet
		return 28, c.object(&seen, func(key string) (uint, bool) {
			switch key {
			case "present":
				return 0, c.boolean(&r.Credentials.Present)
			case "scheme":
				return 1, c.text(&r.Credentials.Scheme)
			case "forwarded":
				return 2, c.boolean(&r.Credentials.Forwarded)
			}
			return 0, false
		})
	case "upstream":
		var seen keySet
		return 29, c.object(&seen, func(key string) (uint, bool) {
			switch key {
			case "asked":
				return 0, c.boolean(&r.Upstream.Asked)
			case "status":
				return 1, c.number(&r.Upstream.Status)
			case "error":
				return 2, c.text(&r.Upstream.Error)
			case "check":
				return 3, c.text(&r.Upstream.Check)
			}
			return 0, false
		})
	}
	return 0, false
}

func (c *cursor) suggestions(to *[]Suggestion) bool {
	return c.list(func() bool {
		*to = append(*to, Suggestion{})
		s := &(*to)[len(*to)-1]
		var seen keySet
		return c.object(&seen, func(key string) (uint, bool) {
			switch key {
			case "path":
				return 0, c.text(&s.Path)
			case "kind":
				return 1, c.text(&s.Kind)
			case "protocol":
				return 2, c.text(&s.Protocol)
			case "was":
				return 3, c.text(&s.Was)
			case "now":
				return 4, c.text(&s.Now)
			case "verdict":
				return 5, c.text(&s.Verdict)
			}
			return 0, false
		})
	})
}

func (c *cursor) texts(to *[]string) bool {
	return c.list(func() bool {
		*to = append(*to, "")
		return c.text(&(*to)[len(*to)-1])
	})
}

// list reads the elements of an array.
func (c *cursor) list(element func() bool) bool {
	if !c.eat('[') {
		return false
	}
	if c.eat(']') {
		return true
	}
	for {
		if !element() {
			return false
		}
		if !c.eat(',') {
			return c.eat(']')
		}
	}
}

func (c *cursor) eat(b byte) bool {
	if c.i < len(c.s) && c.s[c.i] == b {
		c.i++
		return true
	}
	return false
}

// usual marks the bytes that stand for themselves in a JSON string and end none: printable ASCII without the quote and the backslash.
var usual = func() (table [256]bool) {
	for b := ' '; b <= '~'; b++ {
		table[b] = b != '"' && b != '\\'
	}
	return table
}()

func (c *cursor) text(to *string) bool {
	s, i := c.s, c.i
	if i >= len(s) || s[i] != '"' {
		return false
	}
	i++
	start := i
	for i < len(s) && usual[s[i]] {
		i++
	}
	if i >= len(s) || s[i] != '"' {
		return false
	}
	*to = s[start:i]
	c.i = i + 1
	return true
}

// number reads a natural number of at most 18 digits, which no int64 is too small for.
func (c *cursor) number(to *int64) bool {
	start, n := c.i, int64(0)
	for c.i < len(c.s) && c.s[c.i]-'0' <= 9 {
		n = n*10 + int64(c.s[c.i]-'0')
		c.i++
		if c.i-start > 18 {
			return false
		}
	}
	*to = n
	return c.i-start == 1 || c.i > start && c.s[start] != '0'
}

func (c *cursor) boolean(to *bool) bool {
	rest := c.s[c.i:]
	switch {
	case len(rest) >= 4 && rest[:4] == "true":
		*to = true
		c.i += 4
		return true
	case len(rest) >= 5 && rest[:5] == "false":
		*to = false
		c.i += 5
		return true
	}
	return false
}
