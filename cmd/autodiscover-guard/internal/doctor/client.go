package doctor

// client is one program's discovery: what it asks, in its order. Where two programs ask the same, both are listed: a check that passes says
// something about each of them.
type client struct {
	name string
	// agent is its User-Agent, by which some servers answer; empty where it sends none.
	agent string
	// parallel clients ask everything at once.
	parallel  bool
	questions []question
}

// question is one request of a sequence, with places for an account (account.fill).
type question struct {
	method, url string
	// header has further fields. login says that the password travels with it.
	header map[string]string
	login  bool
	// body makes the body; nil is none.
	body func(address string) string
}

// The paths and media types that recur.
const (
	poxPath      = "/autodiscover/autodiscover.xml"
	soapPath     = "/autodiscover/autodiscover.svc"
	configPath   = "/mail/config-v1.1.xml"
	wellKnown    = "/.well-known/autoconfig/mail/config-v1.1.xml"
	autoDetect   = "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect"
	thunderbird  = "https://live.thunderbird.net/autoconfig/v1.1/{domain}"
	thunderbird2 = "https://autoconfig.thunderbird.net/v1.1/{domain}"
	mozilla      = "https://live.mozillamessaging.com/autoconfig/v1.1/{domain}"
)

func get(url string) question { return question{method: "GET", url: url} }

func getWithLogin(url string) question { return question{method: "GET", url: url, login: true} }

func post(url string, body func(string) string) question {
	return question{method: "POST", url: url, header: map[string]string{"Content-Type": "text/xml; charset=utf-8"}, body: body}
}

func postWithLogin(url string, body func(string) string) question {
	q := post(url, body)
	q.login = true
	return q
}

// clients are the programs, as they were measured on the wire; those of Microsoft and Apple by their documentation and the incident's capture.
var clients = []client{
	{
		name: "Thunderbird", parallel: true, agent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.7.0",
		questions: []question{
			get("https://autoconfig.{domain}" + configPath + "?emailaddress={query}"),
			get("https://{domain}" + wellKnown + "?emailaddress={query}"),
			get("http://autoconfig.{domain}" + configPath + "?emailaddress={query}"),
			get("http://{domain}" + wellKnown + "?emailaddress={query}"),
			get(thunderbird),
			post("https://autodiscover.{domain}"+poxPath, POX),
			post("https://{domain}"+poxPath, POX),
			post("http://autodiscover.{domain}"+poxPath, POX),
		},
	},
	{
		name: "Evolution", agent: "Evolution/3.46",
		questions: []question{ // it never sends the local part
			get("https://autoconfig.{domain}" + configPath + "?emailaddress=EVOLUTIONUSER%40{domain}"),
			get("http://autoconfig.{domain}" + configPath + "?emailaddress=EVOLUTIONUSER%40{domain}"),
			get("https://{domain}" + wellKnown),
			get("http://{domain}" + wellKnown),
			get(thunderbird2),
		},
	},
	{
		name: "Evolution-EWS", agent: "Evolution/3.46",
		questions: []question{
			postWithLogin("https://autodiscover.{domain}"+poxPath, POX),
			postWithLogin("https://{domain}"+poxPath, POX),
			postWithLogin("https://autodiscover.exchange.{domain}"+poxPath, POX),
			postWithLogin("https://exchange.{domain}"+poxPath, POX),
		},
	},
	{name: "Geary", questions: []question{get("https://autoconfig.{domain}" + configPath), get(thunderbird2)}},
	{
		name: "KMail",
		questions: []question{
			get(thunderbird2),
			get("https://autoconfig.{domain}" + configPath),
			get("http://autoconfig.{domain}" + configPath),
			get("https://{domain}" + wellKnown),
		},
	},
	{
		name: "Horde",
		questions: []question{
			get("http://autoconfig.{domain}" + configPath + "?emailaddress={query}"),
			get("http://{domain}" + wellKnown),
			get(mozilla),
		},
	},
	{
		name: "exchangelib", agent: "exchangelib/4.9.0",
		questions: []question{
			post("https://{domain}/Autodiscover/Autodiscover.xml", POX),
			post("https://autodiscover.{domain}/Autodiscover/Autodiscover.xml", POX),
			get("http://autodiscover.{domain}/Autodiscover/Autodiscover.xml"),
			post("https://{domain}"+soapPath, soapUser),
			post("https://autodiscover.{domain}"+soapPath, soapUser),
		},
	},
	{
		name: "EWS Managed API", agent: "ExchangeServicesClient/0.9.2",
		questions: []question{
			get("https://autodiscover.{domain}" + poxPath),
			get("https://{domain}" + poxPath),
			get("http://autodiscover.{domain}" + poxPath),
			postWithLogin("https://autodiscover.{domain}"+soapPath, soapUser),
		},
	},
	{
		name: "autodiscover of npm",
		questions: []question{
			postWithLogin("https://{domain}"+poxPath, POX),
			postWithLogin("https://autodiscover.{domain}"+poxPath, POX),
			get("http://autodiscover.{domain}" + poxPath),
		},
	},
	{
		name: "Delta Chat", // a real one trusts its own roots alone: its questions end at the certificate, which is quiet, too
		questions: []question{
			get("https://autoconfig.{domain}" + configPath + "?emailaddress={query}"),
			get("https://{domain}" + wellKnown + "?emailaddress={query}"),
			get("https://{domain}" + poxPath),
			get("https://autodiscover.{domain}" + poxPath),
			get(thunderbird2),
		},
	},
	{
		name: "Outlook", agent: "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.12026; Pro)",
		questions: []question{
			getWithLogin(autoDetect + "?app=outlookdesktopBasic"), // of the incident: nothing else names the account
			postWithLogin("https://autodiscover-s.outlook.com"+poxPath, POX),
			postWithLogin("https://{domain}"+poxPath, POX),
			postWithLogin("https://autodiscover.{domain}"+poxPath, POX),
			get("http://autodiscover.{domain}" + poxPath),
			get("https://autodiscover.{domain}/autodiscover/autodiscover.json?Email={query}&Protocol=EWS&RedirectCount=1"),
		},
	},
	{
		name: "Android (ActiveSync)", agent: "Android-Mail",
		questions: []question{
			postWithLogin("https://{domain}"+poxPath, mobileSync),
			postWithLogin("https://autodiscover.{domain}"+poxPath, mobileSync),
			get("https://autodiscover.{domain}/autodiscover/autodiscover.json/v1.0/{address}?Protocol=ActiveSync"),
		},
	},
	{
		name: "iOS and macOS", agent: "iOS/18.0 accountsd/1.0",
		questions: []question{
			getWithLogin("https://autodiscover.{domain}/autodiscover/autodiscover.json?Email={query}&Protocol=ActiveSync"),
			get("https://{domain}/email.mobileconfig?email={query}"),
			{method: "PROPFIND", url: "https://{domain}/.well-known/caldav", login: true, header: map[string]string{"Depth": "0"}},
			{method: "PROPFIND", url: "https://{domain}/.well-known/carddav", login: true, header: map[string]string{"Depth": "0"}},
		},
	},
	{
		name: "JMAP and PACC",
		questions: []question{
			getWithLogin("https://{domain}/.well-known/jmap"),
			get("https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json"),
		},
	},
}
