// Evaluates a PAC file in one of several engines: node pac.js ENGINE FILE < URLS. For each line (a URL, whose host is asked for) it prints what
// FindProxyForURL gives. The engine "es3" runs nothing: it parses the file as ECMAScript 3.
"use strict";
const fs = require("fs");
const vm = require("vm");

const [engine, file] = process.argv.slice(2);
const text = fs.readFileSync(file, "latin1");
const urls = fs.readFileSync(0, "utf8").split("\n").filter(Boolean);
const hostOf = (url) => url.slice(url.indexOf("://") + 3).replace(/\/.*$/, "");

async function main() {
  if (engine === "es3") {
    require("acorn").parse(text, { ecmaVersion: 3, sourceType: "script" });
    return;
  }
  let find;
  if (engine === "v8") {
    const context = vm.createContext({});
    vm.runInContext(text, context);
    find = async (url, host) => vm.runInContext(`FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(host)})`, context);
  } else if (engine === "quickjs") {
    const { getQuickJS } = require("@tootallnate/quickjs-emscripten");
    const { createPacResolver } = require("pac-resolver");
    find = createPacResolver(await getQuickJS(), text);
  } else {
    throw new Error("no engine " + engine);
  }
  const lines = [];
  for (const url of urls) {
    lines.push(await find(url, hostOf(url)));
  }
  process.stdout.write(lines.join("\n") + "\n");
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
