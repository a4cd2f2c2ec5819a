// Looks at the page in a headless Chromium, as page_test.go tells it:
//
//	node page.js CHROMIUM ORIGIN DIR
//
// It writes "live" when the page listens for decisions, "seen" when one has appeared, and then what it found, as JSON. NODE_PATH has the modules.
"use strict";
const fs = require("node:fs"), path = require("node:path");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [program, origin, dir] = process.argv.slice(2);
const found = { requests: [], problems: [], axe: {}, wide: {} };

const rows = (page) => page.$$eval("#list > tbody", (all) => all.map((b) => b.rows[0].cells[2].textContent));

async function faults(page, name) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  found.axe[name] = result.violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`);
  found.rules = Math.max(found.rules || 0, result.passes.length);
  found.wide[name] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: path.join(dir, name + ".png"), fullPage: true });
}

async function look(page, name, scheme, width) {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
  await page.setViewport({ width, height: 900 });
  await faults(page, name);
}

function watch(page) {
  page.on("request", (r) => found.requests.push(r.url()));
  page.on("pageerror", (e) => found.problems.push(String(e)));
  page.on("console", (m) => { if (m.type() === "error" && !m.location().url.endsWith("/favicon.ico")) found.problems.push(m.text()); });
}

async function live(browser) {
  const page = await browser.newPage();
  watch(page);
  await page.goto(origin + "/");
  await page.waitForFunction(() => document.getElementById("connection").textContent === "Live");
  const begun = Date.now();
  await page.evaluate(() => { fetch("/livez").then(() => { document.body.dataset.alive = "yes"; }); });
  await page.waitForFunction(() => document.body.dataset.alive, { polling: "mutation" });
  found.aliveMS = Date.now() - begun;
  const before = (await rows(page)).length;
  console.log("live");
  await page.waitForFunction((n) => document.querySelectorAll("#list > tbody").length > n, { polling: "mutation" }, before);
  console.log("seen");
  found.appeared = await page.$eval("#list > tbody", (b) => b.textContent);
  await page.waitForFunction(() => document.getElementById("announce").textContent !== "");
  found.announced = await page.$eval("#announce", (e) => e.textContent);
  found.ago = await page.$eval("#list .ago", (e) => e.textContent);
  await page.click("#pause");
  found.paused = await page.$eval("#connection", (e) => e.textContent);
  await page.click("#pause");
  await page.waitForFunction(() => document.getElementById("connection").textContent === "Live");
  return page;
}

async function keyboard(page) {
  await page.reload();
  await page.keyboard.press("Tab");
  found.skip = await page.evaluate(() => document.activeElement.className);
  await page.keyboard.press("Enter");
  found.skipped = await page.evaluate(() => document.activeElement.id || location.hash);
  let reached = "";
  for (let i = 0; i < 20 && reached !== "SUMMARY"; i++) {
    await page.keyboard.press("Tab");
    reached = await page.evaluate(() => document.activeElement.tagName);
  }
  found.outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  await page.keyboard.press("Enter");
  found.opened = await page.evaluate(() => document.activeElement.parentElement.open);
}

async function filter(page) {
  await page.goto(origin + "/");
  await page.type("input[name=domain]", "example.com");
  await Promise.all([page.waitForNavigation(), page.click("form button")]);
  found.filtered = await rows(page);
  found.address = page.url();
  await page.click("#list summary");
  found.before = await page.$$eval("#list details[open] .changes tbody td:nth-child(3)", (all) => all.map((c) => c.textContent));
  found.after = await page.$$eval("#list details[open] .changes tbody td:nth-child(4)", (all) => all.map((c) => c.textContent));
  found.facts = await page.$eval("#list details[open] dl", (d) => d.innerText);
  await page.goto(origin + "/?text=nothing-has-this");
  found.none = await rows(page);
}

async function withoutScript(browser) {
  const page = await browser.newPage();
  watch(page);
  await page.setJavaScriptEnabled(false);
  await page.goto(origin + "/");
  await page.select("select[name=action]", "pass");
  await Promise.all([page.waitForNavigation(), page.click("form button")]);
  found.plain = await rows(page);
  await page.click("#list summary");
  found.plainDetail = await page.$eval("#list details", (d) => d.open);
  found.plainPause = await page.$eval("#pause", (b) => b.hidden);
  found.plots = await page.$$eval("#plots figure", (all) => all.length);
  await page.close();
}

async function main() {
  const browser = await puppeteer.launch({ executablePath: program, headless: true, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  try {
    const page = await live(browser);
    await page.click("#list summary");
    await look(page, "light", "light", 1200);
    await look(page, "dark", "dark", 1200);
    await look(page, "narrow", "light", 380);
    await look(page, "narrow-dark", "dark", 380);
    await page.setViewport({ width: 1200, height: 900 });
    await page.pdf({ path: path.join(dir, "print.pdf"), format: "A4" });
    await keyboard(page);
    await filter(page);
    await page.goto(origin + "/setup");
    await look(page, "setup", "light", 1200);
    await look(page, "setup-dark", "dark", 380);
    await withoutScript(browser);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(found));
}

main().catch((e) => { console.error(e); process.exit(1); });
