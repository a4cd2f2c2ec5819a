package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// thunderbirdHub is a program for scripts: the real Thunderbird, in a window, sets up one account after the other in its account hub, up to the
// page that shows what it has found. It prints a JSON object a line.
//
//	thunderbird-hub PROFILE EMAIL...
func thunderbirdHub() {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	must(inMozilla(ctx, "thunderbird", os.Args[1], false, func(m *marionette) error {
		for _, email := range os.Args[2:] {
			var seen json.RawMessage
			if err := m.run(discover, &seen, email); err != nil {
				return fmt.Errorf("%s: %w", email, err)
			}
			fmt.Println(string(seen))
		}
		return nil
	}))
}

// discover runs inside Thunderbird: what a user does from the empty form to the first page after it, and what they then see. Windows that have
// opened beside the main one are in "windows": an error that is not on the page would be one of them.
const discover = `
const [email, done] = arguments;
(async () => {
  const pause = time => new Promise(r => window.setTimeout(r, time));
  const wait = async (what, test) => {
    for (let i = 0; i < 800; i++) { const v = test(); if (v) return v; await pause(100); }
    throw new Error("there is no " + what);
  };
  const win = await wait("main window", () => {
    const w = Services.wm.getMostRecentWindow("mail:3pane");
    return w && w.openAccountHub && w;
  });
  await win.openAccountHub("MAIL");
  const root = (await wait("account hub", () => win.document.querySelector("account-hub-container"))).shadowRoot;
  const field = await wait("form", () => root.querySelector("#emailAutoConfigSubview #email"));
  const hub = root.querySelector("account-hub-email");
  const fill = (e, v) => { e.value = v; e.dispatchEvent(new win.Event("input", {bubbles: true})); };
  fill(root.querySelector("#emailAutoConfigSubview #realName"), "User");
  fill(field, email);
  await pause(300);
  hub.querySelector("account-hub-footer").dispatchEvent(new win.CustomEvent("forward"));
  const shown = () => [...hub.querySelectorAll("[id$=Subview]")].filter(e => !e.hidden).map(e => e.id);
  await wait("answer", () => shown().length && !shown().includes("emailAutoConfigSubview"));
  await pause(700);
  const words = e => e.innerText.replace(/\s+/g, " ").trim();
  const view = hub.querySelector("#" + shown()[0]);
  const header = view.shadowRoot.querySelector("account-hub-header").shadowRoot;
  const notice = header.querySelector("#emailFormNotification");
  const result = {
    email,
    view: shown().join(" "),
    notice: notice && !notice.hidden ? notice.className + ": " + notice.textContent.replace(/\s+/g, " ").trim() : "",
    hostnames: [...view.querySelectorAll("input")].filter(e => /host/i.test(e.id)).map(e => e.id + "=" + e.value),
    text: words(view),
    everything: view.textContent.replace(/\s+/g, " ").trim(),
    windows: [...Services.wm.getEnumerator(null)].map(w => w.document.documentElement.getAttribute("windowtype")),
    pac: Services.prefs.getStringPref("network.proxy.autoconfig_url", ""),
  };
  await hub.reset();
  done(result);
})().catch(e => done({email, failed: String(e)}));
`

// autoconfig answers every form of the question that Thunderbird has: the incident's servers for example.com, sound ones for shop.com, nothing
// for other domains.
func autoconfig() http.Handler {
	pox := lab.POX()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			pox.ServeHTTP(w, r)
		case strings.HasSuffix(r.Host, "example.com"), path.Base(r.URL.Path) == "example.com":
			writeClientConfig(w, "example.com", lab.IncidentIMAP, lab.IncidentSMTP)
		case path.Base(r.URL.Path) == "shop.com":
			writeClientConfig(w, "shop.com", "imap.shop.com", "smtp.shop.com")
		default:
			http.NotFound(w, r)
		}
	})
}

// writeClientConfig writes a document of the autoconfig format, version 1.1.
func writeClientConfig(w http.ResponseWriter, domain, imap, smtp string) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="%[1]s"><domain>%[1]s</domain><displayName>%[1]s</displayName>
<incomingServer type="imap"><hostname>%[2]s</hostname><port>993</port><socketType>SSL</socketType><username>%%EMAILADDRESS%%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>%[3]s</hostname><port>465</port><socketType>SSL</socketType><username>%%EMAILADDRESS%%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>`, domain, imap, smtp)
}
