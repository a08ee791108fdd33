// What the router consists of: providers, models and their cost, the cache, its actors, and what happened to them.

import { html } from "./vendor/preact.js";
import { DASH, bytes, count, duration, money, plural, rate, share, time } from "./format.js";
import { Mark } from "./mark.js";
import { Table } from "./table.js";

export function Providers({ state, statistics }) {
  const rows = state.providers.map((one) => ({ ...one, live: statistics?.providers?.[one.id] ?? {} }));
  return html`<${Table} caption="Providers" columns=${PROVIDERS} rows=${rows} keyOf=${(row) => row.id}
    detail=${providerDetail} empty="No provider is configured." />`;
}

const status = (row) => row.status ?? {};
const stateOf = (row) => (row.enabled ? row.live.state ?? status(row).state ?? null : "disabled");
const breakerOf = (row) => row.live.breaker ?? row.breaker;
const inFlight = (row) => row.live.in_flight ?? status(row).in_flight ?? 0;
const resting = (row) => (status(row).keys ?? []).filter((key) => key.cooling_in_s > 0).length;
const limit = (row) => row.live.limit || status(row).limit;

const PROVIDERS = [
  { name: "id", label: "Provider", value: (row) => row.id, cell: (row) => html`<b>${row.id}</b>` },
  { name: "dialect", label: "Dialect", value: (row) => row.dialect },
  { name: "state", label: "State", value: stateOf, cell: (row) => html`<${Mark} state=${stateOf(row)} />` },
  { name: "breaker", label: "Breaker", value: breakerOf, cell: (row) => (row.enabled ? html`<${Mark} state=${breakerOf(row)} />` : DASH) },
  { name: "keys", label: "Keys", value: resting, cell: keysCell },
  { name: "flight", label: "In flight", isNumber: true, value: inFlight, cell: (row) => `${count(inFlight(row))}${limit(row) ? ` / ${count(limit(row))}` : ""}` },
  { name: "waiting", label: "Waiting", isNumber: true, value: (row) => row.live.waiting ?? status(row).waiting ?? 0 },
  { name: "per_s", label: "Requests/s", isNumber: true, value: (row) => row.live.per_s ?? null, cell: (row) => rate(row.live.per_s) },
  { name: "requests", label: "Requests", isNumber: true, value: (row) => row.live.requests ?? 0, cell: (row) => count(row.live.requests ?? 0) },
  { name: "errors", label: "Errors", isNumber: true, value: (row) => row.live.errors ?? 0, cell: (row) => html`<span class=${row.live.errors ? "bad" : ""}>${count(row.live.errors ?? 0)}</span>` },
];

function keysCell(row) {
  const keys = status(row).keys ?? [];
  if (!row.has_key) return html`<span class="aside">none</span>`;
  return resting(row) ? html`<${Mark} state="cooling" words=${`${resting(row)} of ${keys.length} resting`} />` : count(keys.length || 1);
}

function providerDetail(row) {
  const one = status(row);
  const breakers = Object.entries(one.breakers ?? {});
  const failures = Object.entries(one.failures ?? {});
  const shed = Object.entries(one.shed ?? {}).filter(([, number]) => number);
  return html`<div class="why">
    <dl class="facts">
      <div><dt>Base URL</dt><dd>${row.base_url}</dd></div>
      <div><dt>Default model</dt><dd>${row.default_model ?? DASH}</dd></div>
      <div><dt>Priority</dt><dd>${row.priority}</dd></div>
      ${one.pool && html`<div><dt>Connections</dt><dd>${count(one.pool.open)} open, ${count(one.pool.idle)} idle, ${count(one.pool.reused)} times reused</dd></div>`}
      ${one.granted !== undefined && html`<div><dt>Leases</dt><dd>${count(one.granted)} granted, ${count(one.succeeded)} succeeded, ${count(one.abandoned)} abandoned</dd></div>`}
      <div><dt>Failures</dt><dd>${failures.length ? failures.map(([kind, number]) => `${kind} ${number}`).join(", ") : "none"}</dd></div>
      ${shed.length > 0 && html`<div><dt>Refused at once</dt><dd>${shed.map(([why, number]) => `${why} ${number}`).join(", ")}</dd></div>`}
    </dl>
    <div><h4>Breakers by model</h4>
      ${breakers.length ? html`<ul class="plain">${breakers.map(([model, breaker]) => html`<li key=${model}><span>${model}</span> <${Mark} state=${breaker.state} />
        ${breaker.opened_in_s > 0 ? html`<span class="aside">tried again in ${duration(breaker.opened_in_s)}</span>` : ""}</li>`)}</ul>` : html`<p class="aside">No model has been asked for yet.</p>`}
      ${(one.keys ?? []).some((key) => key.cooling_in_s > 0) && html`<h4>Keys</h4><ul class="plain">${one.keys.map((key, at) => html`<li key=${at}>key ${at + 1}
        ${" "}${key.cooling_in_s > 0 ? html`<${Mark} state="cooling" words=${`rests for ${duration(key.cooling_in_s)} (${key.kind})`} />` : html`<${Mark} state="serving" words="in use" />`}</li>`)}</ul>`}
    </div></div>`;
}

const MODELS = [
  { name: "model", label: "Model", value: (row) => row.model, cell: (row) => html`<b>${row.model || DASH}</b>` },
  { name: "provider", label: "Provider", value: (row) => row.provider },
  { name: "requests", label: "Requests", isNumber: true, value: (row) => row.requests, cell: (row) => count(row.requests) },
  { name: "input", label: "Read", isNumber: true, value: (row) => row.input_tokens, cell: (row) => count(row.input_tokens) },
  { name: "output", label: "Written", isNumber: true, value: (row) => row.output_tokens, cell: (row) => count(row.output_tokens) },
  { name: "cost", label: "Cost", isNumber: true, value: (row) => row.cost_usd, cell: (row) => money(row.cost_usd) },
  { name: "share", label: "Share", isNumber: true, value: (row) => row.share, cell: (row) => html`<meter min="0" max="1" value=${row.share ?? 0} aria-label=${`${share(row.share)} of the cost`}></meter>` },
];

export function Models({ state }) {
  const whole = state.models.reduce((sum, row) => sum + (row.cost_usd ?? 0), 0);
  const rows = state.models.map((row) => ({ ...row, share: whole && row.cost_usd !== null ? row.cost_usd / whole : null }));
  return html`<${Table} caption="Models and what they cost" columns=${MODELS} rows=${rows} keyOf=${(row) => `${row.provider}/${row.model}`}
    first=${["cost", true]} empty="Nothing has been asked of a provider since the router began." />`;
}

export function Cache({ cache }) {
  if (!cache.enabled) return html`<p class="empty">The cache is off: <code>cache.enabled</code> is false.</p>`;
  const l2 = cache.l2 ?? {};
  const rows = [
    ["Answered from it", cache.hits + cache.misses ? share(cache.hit_rate) : "nothing asked yet"],
    ["Hits", `${count(cache.hits)}, ${count(cache.l1?.hits ?? 0)} of them without waiting`], ["Misses", count(cache.misses)],
    ["Answers kept", count(cache.entries)], ["Size", bytes(cache.bytes)],
    ["Pushed out", count((l2.evicted ?? 0) + (cache.l1?.evicted ?? 0))], ["Too large to keep", count(l2.too_large ?? 0)],
    ["Shared by", cache.scope === "node" ? "all workers" : "each worker for itself"],
  ];
  return html`<div class="cache">
    <meter min="0" max="1" value=${cache.hit_rate ?? 0} aria-label=${`Hit rate ${share(cache.hit_rate)}`}></meter>
    <dl class="facts">${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></div>`;
}

export function Actors({ tree }) {
  const { parent, workers, store } = tree;
  return html`<ul class="tree">
    ${parent && html`<${Process} name="parent" one=${parent} />`}
    ${workers.map((worker) => html`<${Process} key=${worker.worker} name=${`worker ${worker.worker}`} one=${worker} />`)}
    ${store && html`<${Process} name="store" one=${{ state: "serving", ...store }} />`}</ul>`;
}

const Process = ({ name, one }) => html`<li><details open=${one.children.some(isTroubled)}>
  <summary><b>${name}</b> <${Mark} state=${one.state} /><span class="aside">pid ${one.pid} · ${bytes(one.rss_bytes)}${one.open_requests === undefined ? "" : ` · ${plural(one.open_requests, "request")} open`}${one.pressure && one.pressure !== "calm" ? ` · memory: ${one.pressure}` : ""} · ${plural(one.children.length, "child", "children")}</span></summary>
  <ul>${one.children.map((child) => html`<${Actor} key=${child.name} child=${child} />`)}</ul></details></li>`;

const isTroubled = (child) => child.state !== "running";

function Actor({ child }) {
  const box = child.mailbox;
  const notes = [
    box && `mailbox ${count(box.unanswered)} / ${count(box.capacity)}`, box && `${count(box.answered)} answered`,
    box?.full > 0 && `${count(box.full)} refused`, child.restarts > 0 && plural(child.restarts, "restart"), child.crashes > 0 && plural(child.crashes, "crash", "crashes"),
  ].filter(Boolean);
  return html`<li><span class="actor">${child.name}</span> <${Mark} state=${child.state} /><span class="aside">${notes.join(" · ")}</span>
    ${child.children && html`<ul>${child.children.map((below) => html`<${Actor} key=${below.name} child=${below} />`)}</ul>`}</li>`;
}

export function Happenings({ happenings }) {
  if (!happenings.length) return html`<p class="empty">Nothing since this page was opened. Breakers, restarts and reloads are told here.</p>`;
  return html`<ol class="happenings">${happenings.map((one) => html`<li key=${one.number}>
    <time datetime=${one.timestamp}>${time(one.timestamp)}</time>
    <span class=${`level ${one.level}`}>${one.level}</span>
    <span class="event">${one.event}</span><span class="aside">${told(one)}</span></li>`)}</ol>`;
}

const told = ({ timestamp, level, event, number, ...rest }) => Object.entries(rest).filter(([, value]) => value !== null)
  .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · ");
