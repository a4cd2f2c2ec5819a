// Reads SOAP answers with npm's ews-javascript-api, the whole client but for its transport, which hands over the documents instead.
//
//   node ews.js  <  JSON list of {address, text}  >  JSON list of readings
const fs = require("fs");
const ews = require("ews-javascript-api");

const wanted = { imap: "ExternalImap4Connections", pop3: "ExternalPop3Connections", smtp: "ExternalSmtpConnections" };
const encryptions = { SSL: "ssl", TLS: "starttls", None: "none" };

async function read({ address, text }) {
  const service = new ews.AutodiscoverService(new ews.Uri("https://lab.test/autodiscover/autodiscover.svc"), ews.ExchangeVersion.Exchange2013);
  service.XHRApi = { xhr: async () => ({ status: 200, responseText: text, getResponseHeader: () => null, getAllResponseHeaders: () => "" }) };
  const names = [...Object.values(wanted), "UserDisplayName", "AutoDiscoverSMTPAddress", "ExternalEwsUrl"].map(n => ews.UserSettingName[n]);
  const user = (await service.GetUserSettings([address], names)).Responses[0];
  if (user.ErrorCode !== ews.AutodiscoverErrorCode.NoError) {
    return { none: ews.AutodiscoverErrorCode[user.ErrorCode] + ": " + user.ErrorMessage };
  }
  const value = name => user.GetSettingValue(ews.UserSettingName[name]);
  const servers = Object.entries(wanted).flatMap(([protocol, name]) => (value(name) ? value(name).Connections : [])
    .map(c => ({ protocol, host: c.Hostname, port: c.Port, encryption: encryptions[c.EncryptionMethod] })));
  if (value("ExternalEwsUrl")) servers.push({ protocol: "ews", url: value("ExternalEwsUrl") });
  return { name: value("UserDisplayName"), address: value("AutoDiscoverSMTPAddress"), servers };
}

(async () => {
  const readings = [];
  for (const document of JSON.parse(fs.readFileSync(0, "utf8"))) readings.push(await read(document));
  console.log(JSON.stringify(readings));
})();
