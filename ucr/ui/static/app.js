// The page: what is shown when, and what is asked of the router for it.

import { html, render, useEffect, useReducer, useRef, useState } from "./vendor/preact.js";
import { CHARTS, Chart } from "./charts.js";
import { DASH, count, duration, milliseconds, money, rate, share, time } from "./format.js";
import { Link, ask, signIn, signOut } from "./link.js";
import { Mark } from "./mark.js";
import { Actors, Cache, Happenings, Models, Providers } from "./panels.js";
import { Requests } from "./requests.js";
import { BEGIN, MOST_REQUESTS, reduce } from "./store.js";

const STATE_MS = 5000;
const FLUSH_MS = 400; // a busy router tells thousands of lines in a second; the page is drawn twice
const RANGES = [["Live", 5], ["1 h", 60], ["24 h", 1440], ["7 d", 10_080]];
const SECTIONS = [["now", "Now"], ["requests", "Requests"], ["providers", "Providers"], ["cost", "Cost"], ["actors", "Actors"], ["events", "Events"]];

function App() {
  const [all, tell] = useReducer(reduce, BEGIN);
  const link = useRef(null);
  const theme = useTheme();
  useEffect(() => {
    link.current = new Link(batched(tell, () => link.current.look()));
    link.current.start();
    const seen = () => document.hidden || link.current.hurry();
    document.addEventListener("visibilitychange", seen);
    addEventListener("online", seen);
    const timer = setInterval(() => document.hidden || (link.current.socket && link.current.look()), STATE_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (all.link !== "live") return;
    ask(`requests?count=${MOST_REQUESTS}`).then(({ requests }) => tell({ kind: "journal", requests }), () => {});
    ask("history?minutes=5").then(({ history }) => tell({ kind: "past", history }), () => {});
  }, [all.link === "live"]);
  const leave = async () => {
    await signOut().catch(() => {});
    link.current.stop();
    tell({ kind: "link", link: "locked", reason: "" });
    tell({ kind: "forget" });
  };
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <${Header} all=${all} onLeave=${leave} onHurry=${() => link.current.hurry()} />
    <p class="unseen" role="status" aria-live="polite">${all.announcement}</p>
    <main id="main" tabindex="-1">${body(all, link, theme)}</main>
    <footer><span>UCR ${all.state?.version ?? ""}</span>${all.statistics && html`<span>up for ${duration(all.statistics.uptime_s)}</span>`}<span>Figures count since the router began, rates are those of ten seconds, percentiles those of a minute.</span></footer>`;
}

function body(all, link, theme) {
  if (all.link === "locked") return html`<${SignIn} reason=${all.reason} onDone=${() => link.current.start()} />`;
  if (all.link === "refused") return html`<section class="notice"><h1>The dashboard is not shown here</h1><p>${all.reason}</p></section>`;
  if (!all.state) {
    return all.link === "waiting"
      ? html`<section class="notice"><h1>The router cannot be reached</h1><p>${all.reason}. The page goes on trying.</p></section>`
      : html`<p class="boot">Asking the router…</p>`;
  }
  return html`
    <section id="now" aria-labelledby="now-title"><h2 id="now-title" class="unseen">Now</h2>
      <${Figures} all=${all} /><${Charts} live=${all.live} hasJournal=${all.hasJournal} theme=${theme} /></section>
    <section id="requests" class="panel" aria-labelledby="requests-title"><h2 id="requests-title">Requests</h2>
      <${Requests} requests=${all.requests} hasJournal=${all.hasJournal} isLoading=${all.hasJournal === null} /></section>
    <section id="providers" class="panel" aria-labelledby="providers-title"><h2 id="providers-title">Providers</h2>
      <${Providers} state=${all.state} statistics=${all.statistics} /></section>
    <div class="pair">
      <section id="cost" class="panel" aria-labelledby="cost-title"><h2 id="cost-title">Models and cost</h2><${Models} state=${all.state} /></section>
      <section id="cache" class="panel" aria-labelledby="cache-title"><h2 id="cache-title">Cache</h2><${Cache} cache=${all.state.cache} /></section>
    </div>
    <div class="pair">
      <section id="actors" class="panel" aria-labelledby="actors-title"><h2 id="actors-title">Actors</h2><${Actors} tree=${all.state.tree} /></section>
      <section id="events" class="panel" aria-labelledby="events-title"><h2 id="events-title">Events</h2><${Happenings} happenings=${all.happenings} /></section>
    </div>`;
}

function Header({ all, onLeave, onHurry }) {
  const isShown = all.state && !["locked", "refused"].includes(all.link);
  return html`<header>
    <h1><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 16h7c5 0 4-8 9-8h8M11 16h17M11 16c5 0 4 8 9 8h8" /></svg>UCR</h1>
    ${isShown && html`<nav aria-label="Sections">${SECTIONS.map(([id, title]) => html`<a key=${id} href=${`#${id}`}>${title}</a>`)}</nav>`}
    <${LinkState} all=${all} onHurry=${onHurry} />
    ${isShown && all.state.is_locked && html`<button type="button" class="quiet" onClick=${onLeave}>Sign out</button>`}
  </header>`;
}

function LinkState({ all, onHurry }) {
  const now = useNow(all.link === "waiting");
  if (all.link === "live") return html`<div class="link"><${Mark} state="live" words="Live" /></div>`;
  if (all.link === "waiting") {
    const left = Math.max(1, Math.ceil((all.until - now) / 1000));
    return html`<div class="link"><${Mark} state="refused" words=${`Not connected${all.heardAt ? `, as of ${time(all.heardAt)}` : ""}`} />
      <button type="button" class="quiet" onClick=${onHurry}>Try now (${left} s)</button></div>`;
  }
  if (all.link === "connecting") return html`<div class="link"><${Mark} state="connecting" words="Connecting…" /></div>`;
  return html`<div class="link"></div>`;
}

function Figures({ all }) {
  const now = all.statistics;
  const { total, ttfb } = now?.times_ms ?? { total: {}, ttfb: {} };
  const requests = now?.requests;
  const pairs = [
    ["Requests/s", rate(requests?.per_s), requests && `${count(requests.open)} open, ${count(requests.total)} in all`],
    ["Latency, p50", milliseconds(total.p50), `p99 ${milliseconds(total.p99)}`],
    ["First byte, p50", milliseconds(ttfb.p50), `p99 ${milliseconds(ttfb.p99)}`],
    ["Errors", requests ? share(requests.total ? requests.errors / requests.total : 0) : DASH, requests && `${count(requests.errors)} in all`],
    ["Tokens/s", count(now?.tokens_per_s), "read and written"],
    ["Cost", money(now?.cost_usd), "since the router began"],
    ["Cache hits", now ? (now.cache.enabled ? share(now.cache.hit_rate) : "off") : DASH, now?.cache.enabled && `${count(now.cache.entries)} ${now.cache.entries === 1 ? "answer" : "answers"} kept`],
  ];
  return html`<dl class=${`figures${all.link === "live" ? "" : " is-stale"}`}>${pairs.map(([name, value, note]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd><dd class="note">${note || "\u00a0"}</dd></div>`)}</dl>`;
}

function Charts({ live, hasJournal, theme }) {
  const [minutes, setMinutes] = useState(5);
  const [past, setPast] = useState(null);
  useEffect(() => {
    setPast(null);
    if (minutes === 5) return;
    let isGone = false;
    const look = () => document.hidden || ask(`history?minutes=${minutes}`).then(({ history }) => isGone || setPast(history), () => {});
    look();
    const timer = setInterval(look, minutes > 60 ? 60_000 : 15_000);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [minutes]);
  const isLive = minutes === 5;
  const columns = isLive ? live : past;
  return html`<div class="over-time">
    <div class="tools"><fieldset class="segments"><legend class="unseen">Time range</legend>
      ${RANGES.map(([label, range]) => html`<label key=${range}><input type="radio" name="range" value=${range} checked=${minutes === range} disabled=${range !== 5 && hasJournal === false} onChange=${() => setMinutes(range)} /><span>${label}</span></label>`)}</fieldset>
      <span class="aside">${rangeWords(isLive, hasJournal, past)}</span></div>
    ${columns ? html`<div class="charts">${CHARTS.map((chart) => html`<${Chart} key=${chart.title} chart=${chart} columns=${columns} spanS=${minutes * 60} theme=${theme} />`)}</div>`
      : html`<p class="empty tall">Reading the journal…</p>`}</div>`;
}

function rangeWords(isLive, hasJournal, past) {
  if (hasJournal === false) return "There is no journal, so only what this page has seen can be drawn.";
  if (isLive) return "the last five minutes";
  return past && !past.is_whole ? "from the journal: only the last 50,000 requests" : "from the journal";
}

function SignIn({ reason, onDone }) {
  const [trouble, setTrouble] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const input = useRef(null);
  useEffect(() => input.current.focus(), []);
  const submit = async (event) => {
    event.preventDefault();
    setIsBusy(true);
    setTrouble("");
    try {
      await signIn(input.current.value);
      input.current.value = "";
      onDone();
    } catch (error) {
      setTrouble(error.status === 401 ? "That is not the admin key." : error.status ? error.message : "The router does not answer.");
      setIsBusy(false);
      input.current.focus();
    }
  };
  return html`<section class="notice"><h1>Sign in</h1>
    <p>This router has an admin key. It is what stands as <code>admin.key</code> in its configuration.</p>
    <form onSubmit=${submit}>
      <label for="key">Admin key</label>
      <input id="key" ref=${input} type="password" autocomplete="current-password" required spellcheck="false" aria-describedby="trouble" aria-invalid=${trouble ? "true" : "false"} />
      <button type="submit" disabled=${isBusy}>${isBusy ? "Asking…" : "Sign in"}</button>
      <p id="trouble" class="trouble" role="alert">${trouble}</p>
    </form>
    <p class="aside">The key is sent once and kept nowhere. A cookie that only this page can use takes its place, for an hour after its last use.${reason.includes("wrong") ? ` ${reason}` : ""}</p></section>`;
}

// What is heard is told together, a few times in a second; news of breakers and actors is a reason to look at once.
function batched(tell, look) {
  let waiting = [];
  let timer = 0;
  let isTroubled = false;
  const flush = () => {
    const events = waiting;
    [waiting, timer] = [[], 0];
    tell({ kind: "events", events });
    if (isTroubled) look();
    isTroubled = false;
  };
  return (told) => {
    if (told.kind === "link" && timer) { // what was heard before comes before
      clearTimeout(timer);
      flush();
    }
    if (told.kind !== "event") return tell(told);
    waiting.push(told.event);
    isTroubled ||= !["statistics", "request.finished"].includes(told.event.event);
    timer ||= setTimeout(flush, FLUSH_MS);
  };
}

function useNow(isWanted) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isWanted) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isWanted]);
  return now;
}

function useTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [theme, setTheme] = useState(dark.matches);
  useEffect(() => {
    const change = (event) => setTheme(event.matches);
    dark.addEventListener("change", change);
    return () => dark.removeEventListener("change", change);
  }, []);
  return theme;
}

const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} />`, place);
