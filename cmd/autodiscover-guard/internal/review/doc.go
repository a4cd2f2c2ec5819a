// Package review reads decision records back, any amount of them in constant memory, and says what matters in them.
//
//	summary := review.NewSummary(review.Filter{})
//	log, err := review.Read(ctx, review.Sources{Files: []string{"decisions.jsonl"}}, summary)
//	err = summary.Report(log, 20).Write(os.Stdout, review.FormatTable)
//
// # How a line is read
//
// Lines that the guard itself writes are read by a scanner that knows just their shape ([Scan]); whatever is odd in any way, an escape, a key that is not
// known, white space, goes to a real JSON parser ([Parse]). A fuzz target proves that the two never differ. A line may also be a message of the
// guard's life ([Event]): failed handshakes and reloads are told there, as JSON or as they stand on standard error.
//
// # What is bounded
//
// Everything counted by a name from outside is counted in a table of limited size ([Tally]): when it is full, its rarest half is given up, and what
// was given up is still in the total. Numbers are exact until then; afterwards those that may be too small say so. Latencies are counted in a
// histogram that is exact below a second, and the time line has buckets that grow with its length.
//
// # Output
//
// Records hold text from clients and upstreams. Each format neutralises what is dangerous in it: control characters and everything else that does
// not print for terminals, markup for HTML and Markdown, formulas for spreadsheets.
package review
