// Reads clientConfig and POX documents with Thunderbird's own modules, taken out of the omni.ja of Debian's thunderbird at test time and
// run here instead of in Thunderbird: the globals that they expect are stood in for, and the XML parser is that of npm's @xmldom/xmldom.
//
//   node --experimental-vm-modules thunderbird.js MODULES autoconfig|pox  <  JSON list of {address, text}  >  JSON list of readings
const fs = require("fs");
const path = require("path");
const vm = require("vm");
const { DOMParser } = require("@xmldom/xmldom");

const [modules, mode] = process.argv.slice(2);
const silent = new Proxy({}, { get: () => () => {} });
const named = new Proxy({}, { get: (_, name) => name }); // Ci.nsMsgSocketType.SSL is "SSL"
const lazily = [];
const context = vm.createContext({
  URL, dump() {}, console: { ...silent, error() {}, createInstance: () => silent },
  Ci: new Proxy({}, { get: () => named }), Cu: {},
  Services: { prefs: { getBoolPref: () => false }, io: { newURI: s => ({ QueryInterface: () => ({ scheme: s.split(":")[0], spec: s }) }) } },
  Localization: class { formatValueSync(id) { return id; } },
  ChromeUtils: {
    defineLazyGetter: (on, name, make) => Object.defineProperty(on, name, { get: make }),
    defineESModuleGetters: (on, urls) => Object.entries(urls).forEach(([name, url]) => lazily.push([on, name, url])),
  },
});

// What is not needed for reading is an empty stand-in with the names that are imported from it.
const needed = /\/(JXON|hostnameUtils|OAuth2Providers|AccountConfig|AccountCreationUtils|InputSanitizer|readFromXML|ExchangeAutoDiscover)\.sys\.mjs$/;
const loaded = new Map();
function load(url, importer) {
  if (loaded.has(url)) return loaded.get(url);
  let module;
  if (needed.test(url)) {
    let source = fs.readFileSync(path.join(modules, url.replace(/^.*?\/modules\//, "")), "utf8");
    if (url.includes("ExchangeAutoDiscover")) source += "\nexport { readAutoDiscoverResponse };"; // which is private
    module = new vm.SourceTextModule(source, { context, identifier: url });
    module.text = source;
  } else {
    const names = [...importer.text.matchAll(/import\s*{([^}]*)}\s*from\s*"([^"]*)"/g)].filter(m => m[2] === url)
      .flatMap(m => m[1].split(",")).map(name => name.trim()).filter(Boolean);
    module = new vm.SyntheticModule(names, () => {}, { context, identifier: url });
  }
  loaded.set(url, module);
  return module;
}
async function run(url) {
  const module = load(url);
  if (module.status === "unlinked") await module.link((specifier, importer) => load(specifier, importer));
  await module.evaluate();
  while (lazily.length) {
    const [on, name, wanted] = lazily.pop();
    if (needed.test(wanted)) on[name] = (await run(wanted))[name];
  }
  return module.namespace;
}

const encryptions = { SSL: "ssl", alwaysSTARTTLS: "starttls", plain: "none" };
const server = s => ({
  protocol: s.type, host: s.hostname, port: s.port > 0 ? s.port : 0, encryption: encryptions[s.socketType], username: s.username, url: s.exchangeURL || "",
});

(async () => {
  const { JXON } = await run("resource:///modules/JXON.sys.mjs");
  const { readFromXML } = await run("resource:///modules/accountcreation/readFromXML.sys.mjs");
  const { AccountConfig } = await run("resource:///modules/accountcreation/AccountConfig.sys.mjs");
  const { readAutoDiscoverResponse } = await run("resource:///modules/accountcreation/ExchangeAutoDiscover.sys.mjs");
  const readings = JSON.parse(fs.readFileSync(0, "utf8")).map(({ address, text }) => {
    const tree = JXON.build(new DOMParser().parseFromString(text, "text/xml"));
    try {
      const c = mode === "pox" ? readAutoDiscoverResponse(tree, "") : readFromXML(tree, "test");
      AccountConfig.replaceVariables(c, "Owner", address, "secret");
      const all = [c.incoming, ...c.incomingAlternatives, c.outgoing, ...c.outgoingAlternatives];
      return { name: c.displayName || "", servers: all.map(server) };
    } catch (e) {
      return { none: String(e.message || e) };
    }
  });
  console.log(JSON.stringify(readings));
})();
