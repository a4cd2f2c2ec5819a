// Package dialect knows the wire formats in which mail clients ask for their settings and are answered.
//
// For every dialect it can tell five things: whether a request speaks it and whom it is about ([Recognise]), what an answer suggests
// ([Read]), how the dialect itself says "no settings" ([Refuse]), how an answer reads with some suggestions taken out or replaced
// ([Document.Edit]), and how one reads that is written from nothing, for a domain's own servers ([Compose]). It holds no opinion on which
// suggestion is right; that is package rules.
//
// A request may not show that it is discovery. Then [Sniff] goes by the answer; [Sniffable], [MayBeDiscovery] and [NotDiscovery] tell by its beginning whether it has to
// be read at all, and [NeedsBody] whether the request's body has to be.
//
// # One exchange
//
//	inquiry, ok := dialect.Recognise(request)     // which dialect, which mail domains
//	document, err := dialect.Read(inquiry, answer) // every server, URL and address that the answer names
//	…                                              // somebody judges document.Suggestions
//	edited, err := document.Edit(suggestions)      // a canonical document without what was removed
//	quiet := dialect.Refuse(inquiry)               // or the dialect's own "no settings"
//	own, err := dialect.Compose(inquiry, settings) // or the domain's own servers; nobody needs to be asked
//
// # Promises
//
// Everything here is a pure function of bytes: no input or output, no clock, no log, no global state that changes. Names of elements and
// members are compared without regard to case and to namespaces, because published documents are wrong about both and clients do not
// care. What cannot be read beyond doubt (broken, duplicated, over a limit, in an unknown charset) is an error, never a guess. An edited
// document is written afresh from what was read: UTF-8, without comments, processing instructions, CDATA or DOCTYPE, because the parsers
// of real clients disagree on exactly those.
package dialect
