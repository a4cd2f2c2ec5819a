// Signs in to the page in a headless Chromium, as signin_test.go tells it:
//
//	node signin.js CHROMIUM ORIGIN DIR <TOKEN
//
// It writes what it found, as JSON. NODE_PATH has the modules.
"use strict";
const fs = require("node:fs"), path = require("node:path");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [program, origin, dir] = process.argv.slice(2);
const token = fs.readFileSync(0, "utf8").trim();
const found = { problems: [], axe: {}, requests: [] };

async function look(page, name, scheme, width) {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 700 });
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  found.axe[name] = result.violations.map((v) => `${v.impact} ${v.id}`);
  await page.screenshot({ path: path.join(dir, name + ".png"), fullPage: true });
}

async function send(page, text) {
  await page.type("#token", text);
  const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  return answer.status();
}

async function main() {
  const browser = await puppeteer.launch({ executablePath: program, headless: true, acceptInsecureCerts: true, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  try {
    const page = await browser.newPage();
    page.on("request", (r) => found.requests.push(r.url()));
    page.on("pageerror", (e) => found.problems.push(String(e)));
    found.closed = (await page.goto(origin + "/")).status();
    found.focus = await page.evaluate(() => document.activeElement.id);
    await look(page, "sign-in", "light", 900);
    found.wrong = await send(page, "wrong");
    found.said = await page.$eval("#fault", (e) => e.textContent);
    await look(page, "sign-in-dark", "dark", 380);
    await page.setViewport({ width: 1200, height: 900 });
    await send(page, token);
    await page.waitForFunction(() => document.getElementById("connection").textContent === "Live");
    found.open = page.url();
    found.cookies = (await page.cookies()).map(({ name, value, httpOnly, secure, sameSite }) => ({ name, value, httpOnly, secure, sameSite }));
    found.script = await page.evaluate(() => document.cookie);
    await look(page, "signed-in", "light", 1200);
    await Promise.all([page.waitForNavigation(), page.click("form.out button")]);
    found.left = page.url();
    found.after = (await page.goto(origin + "/")).status();
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(found));
}

main().catch((e) => { console.error(e); process.exit(1); });
