// Package notify tells a webhook what nobody should have to look for in a log, once, and without ever holding up an exchange.
//
//	n, err := notify.New(notify.Config{URL: "https://hooks.corp.example.net/guard", Secret: secret, Strangers: "strangers.json", Quiet: day})
//	decisions = zap.New(zapcore.NewTee(log.Core(), n.Decisions()))
//	…
//	n.Close(ctx)
//
// # What is told
//
//	stranger    a host outside the rule was suggested, and never before
//	leak        a client was told, or its password taken to, a host outside the rule, because the rule only monitors;
//	            or a guarded domain's discovery went through a tunnel that was not opened
//	reload      a changed configuration was not put in force
//	authority   the authority needs somebody: a certificate is about to end, cannot be renewed, or its key lies about
//
// It looks at what is logged and at nothing else, so that what is decided does not depend on who is told.
//
// # The payload
//
// A POST with a JSON document, version 1; members may be added.
//
//	{"version": 1, "type": "stranger", "timestamp": "2026-11-24T06:05:41Z", "guard": "gateway-1",
//	 "summary": "never suggested before: imapgms.jnet.sei.co.jp, to accounts of example.com",
//	 "count": 1,
//	 "data": {"hosts": ["imapgms.jnet.sei.co.jp"], "subjects": ["example.com"], "action": "refuse", "would": "", "rule": "documentation",
//	          "reason": "…", "dialect": "autodetect", "host": "prod.autodetect.outlook.cloud.microsoft", "client": "192.0.2.7",
//	          "exchange": "ec132ad5-1", "credentials_forwarded": false}}
//
// count is how often it happened since it was last told, this time included. guard is the computer's name. The data of a reload are "message"
// and what was logged with it ("error", "policy"), those of an authority "message", "pressing", "problem" and "cure".
//
// # The signature
//
// It is that of Standard Webhooks (standardwebhooks.com, version 1.0.0), so that its libraries verify it: webhook-id is the same for each attempt,
// webhook-timestamp is the attempt's time in seconds, and webhook-signature is "v1," and the base64 of the HMAC-SHA256 of id, timestamp
// and body, with dots between. With the three in shell variables and the body in a file:
//
//	{ printf '%s.%s.' "$id" "$timestamp"; cat body; } | openssl dgst -sha256 -hmac "$(cat hook.secret)" -binary | base64
//
// A secret that begins with whsec_ is base64 behind that, as Standard Webhooks has it; any other is taken as it is written.
//
// # Bounds
//
// A queue of [QueueLength] notifications, [MostAnHour] an hour, [Attempts] attempts for each with growing waits in between; what is beyond that
// is dropped and counted. [Reserved] of the first two are for reloads and the authority. The same thing is not told again within Config.Quiet. Strangers are remembered on disk, [MostStrangers] of
// them; those that were not seen for longest are forgotten first, and are new again when they come back. A stranger is remembered when its
// notification has been delivered, so a crash tells it twice rather than never.
package notify
