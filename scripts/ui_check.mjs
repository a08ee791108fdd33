// The steps of `scripts/ui-check`: what somebody does with the dashboard, and what must be seen then.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { CHECK_URL: url, CHECK_KEY: key, CHECK_MARKUP: markup, CHECK_BROWSER, CHECK_MODULES, CHECK_SHOTS: shots } = process.env;
const { chromium } = createRequire(path.join(CHECK_MODULES, "node_modules", "x.js"))("playwright-core");
const arguments_ = ["--disable-gpu", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];
const browser = await chromium.launch({ executablePath: CHECK_BROWSER, args: arguments_ });
const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
const page = await context.newPage();
page.setDefaultTimeout(30_000);

const troubles = [];
page.on("pageerror", (error) => troubles.push(`an error in the page: ${error.message}`));
page.on("console", (message) => {
  if (/Content Security Policy|Trusted/i.test(message.text())) troubles.push(message.text());
});
page.on("request", (request) => {
  if (!request.url().startsWith(url.replace("http", ""), 4)) troubles.push(`a request to ${request.url()}`);
  if (request.url().includes(key)) troubles.push("the key is in a URL");
});
if (shots) mkdirSync(shots, { recursive: true });
const shoot = async (name, whole = true) => shots && page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: whole, timeout: 60_000 });

const ask = (model, content = "hi") => fetch(`${url}/v1/messages`, {
  method: "POST", headers: { "content-type": "application/json" },
  body: JSON.stringify({ model, max_tokens: 50, temperature: 0, messages: [{ role: "user", content }] }),
});
const seen = (selector, words) => page.locator(selector, words === undefined ? {} : { hasText: words }).first().waitFor();
const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
const column = (table, at) => page.locator(`${table} tbody tr:not(.detail) td:nth-child(${at})`).allInnerTexts();
const drawn = () => page.evaluate(() => [...document.querySelectorAll(".plot canvas")].filter((canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value) => value > 0);
}).length);

const STEPS = {
  async "the key is needed"() {
    await page.goto(`${url}/ui`);
    await seen("h1", "Sign in");
    assert.equal(await page.evaluate(() => document.activeElement.id), "key");
    await shoot("sign-in", false);
  },
  async "a wrong key is told so"() {
    await page.keyboard.type("not the key");
    await page.keyboard.press("Enter");
    await seen(".trouble", "That is not the admin key");
  },
  async "the right key lets in, and is in no storage"() {
    await page.fill("#key", key);
    await page.keyboard.press("Enter");
    await seen("header .mark", "Live");
    const [cookie] = await context.cookies(`${url}/ui`);
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/ui"]);
    assert.equal(await page.evaluate(() => document.cookie + localStorage.length + sessionStorage.length), "00");
  },
  async "the charts are drawn"() {
    await page.waitForFunction(() => document.querySelector(".key output")?.textContent.match(/[1-9]/));
    await page.waitForTimeout(6000);
    assert.equal(await page.locator(".chart").count(), 6);
    assert.equal(await drawn(), 6);
    await seen('.plot[aria-label^="Requests per second. requests: now"]');
  },
  async "planted markup is text"() {
    await ask(markup);
    await page.fill("#requests input[type=search]", "onerror");
    await seen("#requests td", markup);
    await page.locator("#requests .opener").last().click();
    await seen("#requests .why", "Why this route");
    for (let times = 0; times < 6; times += 1) await ask("llama-3.3-70b", `planted ${times}`);
    await page.fill("#requests input[type=search]", "llama");
    await page.locator("#requests .opener").last().click();
    await seen("#requests .why li", "no model <img src=x");
    assert.equal(await page.locator("#app img, #app td b b").count(), 0);
    assert.equal(await page.title(), "UCR dashboard");
    await page.fill("#requests input[type=search]", "");
  },
  async "the broken provider has an open breaker"() {
    const open = page.locator("#providers tr:has-text('groq') .mark.bad", { hasText: "open" });
    for (let times = 0; times < 20 && !(await open.count()); times += 1) await ask("llama-3.3-70b", `once more ${times}`);
    await open.waitFor();
    assert.deepEqual((await column("#providers table", 1)).sort(), ["anthropic", "groq", "mistral", "openai"]);
  },
  async "a request says why it went where it went"() {
    await ask("fast", `a question that nobody has asked at ${Date.now()}`);
    await page.fill("#requests input[type=search]", "fast alias miss");
    await page.locator("#requests .opener").first().click();
    await seen("#requests .why p", "The name is an alias in [models].");
    await seen("#requests .candidates .chosen", "openai/gpt-5-mini");
    await page.fill("#requests input[type=search]", "");
  },
  async "tables are sorted by the keyboard"() {
    await page.locator("#cost th button", { hasText: "Requests" }).focus();
    for (const [word, sign] of [["descending", -1], ["ascending", 1]]) {
      await page.keyboard.press("Enter");
      await seen(`#cost th[aria-sort=${word}]`, "Requests");
      const figures = (await column("#cost table", 3)).map((text) => Number(text.replace(/\D/g, "")));
      assert.deepEqual(figures, [...figures].sort((a, b) => sign * (a - b)));
    }
    await page.keyboard.press("Tab");
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Read/);
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
  },
  async "the skip link is the first thing"() {
    await page.reload();
    await seen("header .mark", "Live");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  },
  async "the past is drawn from the journal"() {
    await page.locator(".segments input").first().focus();
    await page.keyboard.press("ArrowRight");
    await seen(".over-time .aside", "from the journal");
    await page.waitForFunction(() => document.querySelectorAll(".plot canvas").length === 6);
    await seen('.plot[aria-label*="requests: now"]');
    await page.waitForTimeout(500);
    await shoot("hour", false);
    await page.keyboard.press("ArrowLeft");
  },
  async "actors are told, process by process"() {
    await page.locator(".tree summary", { hasText: "worker 0" }).click();
    await seen(".tree .actor", "ucr:metrics");
  },
  async "it is readable by light and by darkness"() {
    await page.waitForTimeout(shots ? 70_000 : 0);
    await page.locator("#requests .opener").nth(2).click();
    await page.waitForTimeout(300);
    const grounds = [];
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(300);
      grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      const poor = await page.evaluate(contrasts);
      assert.deepEqual(poor, []);
      await page.evaluate(() => scrollTo(0, 0));
      await shoot(colorScheme);
      await shoot(`${colorScheme}-top`, false);
    }
    assert.notEqual(grounds[0], grounds[1]);
  },
  async "400 pixels are wide enough"() {
    await page.emulateMedia({ colorScheme: "light" });
    for (const width of [400, 320, 820]) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(300);
      assert.ok(await overflow() <= 0, `${width} pixels: ${await overflow()} more are needed`);
      await shoot(`width-${width}`);
    }
    await page.setViewportSize({ width: 1360, height: 900 });
  },
  async "the feed comes back after its worker was replaced"() {
    const workers = await page.evaluate(async () => (await (await fetch("/ui/state", { headers: { "x-ucr-ui": "1" } })).json()).tree.workers);
    await page.evaluate(() => {
      window.links = [];
      new MutationObserver(() => window.links.push(document.querySelector(".link").textContent))
        .observe(document.querySelector("header"), { subtree: true, childList: true, characterData: true });
    });
    for (const { pid } of workers) process.kill(pid, "SIGKILL");
    await page.waitForFunction(() => window.links.some((words) => words.includes("Not connected")), undefined, { timeout: 15_000 });
    await shoot("lost", false);
    await page.waitForFunction(() => document.querySelector(".link").textContent === "Live", undefined, { timeout: 40_000 });
    await page.waitForFunction(() => document.querySelector(".tree summary b"));
  },
  async "signing out ends what is shown"() {
    await page.locator("header button", { hasText: "Sign out" }).click();
    await seen("h1", "Sign in");
    assert.equal(await page.locator("table").count(), 0);
    assert.deepEqual(await context.cookies(`${url}/ui`), []);
  },
  async "nothing broke the policy, asked elsewhere, or failed"() {
    assert.deepEqual(troubles, []);
  },
};

// The texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
function contrasts() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (colour) => {
    const [r, g, b] = [...rgb(colour)].map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (rgb(colour)[3] > 250) return colour;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const poor = new Set();
  for (const element of document.querySelectorAll("#app *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText || !element.checkVisibility() || element.closest(".unseen, .skip, .is-stale, :disabled")) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) poor.add(`${element.tagName}.${element.className} "${element.textContent.slice(0, 20)}": ${contrast.toFixed(2)}`);
  }
  return [...poor];
}

let failed = 0;
for (const [name, step] of Object.entries(STEPS)) {
  const began = Date.now();
  let verdict = "pass";
  try {
    await step();
  } catch (error) {
    failed += 1;
    verdict = `FAIL: ${error.message.split("\n").slice(0, 12).join("\n")}`;
    await shoot(`failed-${failed}`).catch(() => {});
  }
  console.log(`${name.padEnd(52)} ${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s  ${verdict}`);
}
await browser.close();
console.log(`${Object.keys(STEPS).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
