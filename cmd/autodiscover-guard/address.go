package main

import (
	"net/url"
	"strings"

	"autodiscover-guard/rules/reserved"
)

// mailDomain is the domain of a mail address in canonical spelling, or "" where that is none: two words, no local part, a domain that no URL can have.
func mailDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || strings.ContainsAny(address[:at], " \t") && address[0] != '"' {
		return ""
	}
	domain := reserved.Canonical(address[at+1:])
	if u, err := url.Parse("https://" + domain + "/"); domain == "" || err != nil || u.Host != domain {
		return ""
	}
	return domain
}

// hostName is a host in canonical spelling, or "" where what was given is none: a URL, a mail address, two words.
func hostName(given string) string {
	if strings.ContainsAny(given, "/@ \t") {
		return ""
	}
	return reserved.Canonical(given)
}
