// Recent requests, each with the reason why it went where it went.

import { html, useEffect, useState } from "./vendor/preact.js";
import { DASH, count, milliseconds, moment, money } from "./format.js";
import { ask } from "./link.js";
import { Table } from "./table.js";

const WHY = {
  alias: "The name is an alias in [models].",
  provider: "The request named its provider.",
  listed: "Providers list the model; the one with the highest priority comes first.",
  default: "No alias, rule or task claimed it, so it went to router.default.",
  custom: "The custom router chose it.",
};
const TIERS = {
  simple: "Nobody of the first choice could serve, so the default and whoever lists the model were asked.",
  emergency: "Nobody else could serve, so every provider that can take the request was asked.",
};
const JOURNAL_MS = 2500; // the journal is written behind, two seconds at most

const answerer = (row) => (row.provider ? `${row.provider}/${row.model_used ?? ""}` : "");
const tokens = (row) => (row.input_tokens ?? 0) + (row.output_tokens ?? 0);

const COLUMNS = [
  { name: "at", label: "Time", value: (row) => row.at, cell: (row) => moment(row.at) },
  { name: "status", label: "Status", isNumber: true, value: (row) => row.status, cell: (row) => html`<span class=${row.status >= 400 || row.error_type ? "status bad" : "status"}>${row.status}</span>` },
  { name: "asked", label: "Asked for", value: (row) => row.model_asked ?? "", cell: (row) => row.model_asked ?? DASH },
  { name: "answered", label: "Answered by", value: answerer, cell: (row) => answerer(row) || DASH },
  { name: "route", label: "Route", value: (row) => row.route ?? "", cell: (row) => html`${row.route ?? DASH}${row.tier && row.tier !== "optimal" ? html` <span class="tag">${row.tier}</span>` : ""}` },
  { name: "cache", label: "Cache", value: (row) => row.cache ?? "", cell: (row) => (row.cache === "bypass" ? DASH : row.cache ?? DASH) },
  { name: "ttfb", label: "First byte", isNumber: true, value: (row) => row.ttfb_ms, cell: (row) => milliseconds(row.ttfb_ms) },
  { name: "total", label: "Total", isNumber: true, value: (row) => row.total_ms, cell: (row) => milliseconds(row.total_ms) },
  { name: "tokens", label: "Tokens", isNumber: true, value: tokens, cell: (row) => (tokens(row) ? `${count(row.input_tokens ?? 0)} → ${count(row.output_tokens ?? 0)}` : DASH) },
  { name: "cost", label: "Cost", isNumber: true, value: (row) => row.cost_usd, cell: (row) => money(row.cost_usd) },
];

export function Requests({ requests, hasJournal, isLoading }) {
  const [words, setWords] = useState("");
  const [onlyErrors, setOnlyErrors] = useState(false);
  const [held, setHeld] = useState(null);
  const shown = (held ?? requests).filter((row) => fits(row, words, onlyErrors));
  const isFiltered = words !== "" || onlyErrors;
  return html`
    <div class="tools">
      <label class="field"><span class="unseen">Filter requests</span>
        <input type="search" placeholder="Filter by model, provider, status…" value=${words} onInput=${(event) => setWords(event.target.value)} /></label>
      <label class="check"><input type="checkbox" checked=${onlyErrors} onChange=${(event) => setOnlyErrors(event.target.checked)} /> Errors only</label>
      <button type="button" class="quiet" aria-pressed=${String(held !== null)} onClick=${() => setHeld(held === null ? requests : null)}>${held === null ? "Hold" : "Go on"}</button>
      <span class="aside">${shown.length === requests.length ? `the last ${requests.length}` : `${shown.length} of ${requests.length}`}${held === null ? "" : ", held"}</span>
    </div>
    <${Table} caption="Recent requests" columns=${COLUMNS} rows=${shown} keyOf=${(row) => row.request_id} first=${["at", true]} most=${innerWidth > 900 ? 25 : 8}
      detail=${(row) => html`<${Why} row=${row} hasJournal=${hasJournal} />`} empty=${emptyWords(isLoading, isFiltered)} />`;
}

function fits(row, words, onlyErrors) {
  if (onlyErrors && row.status < 400 && !row.error_type) return false;
  const text = [row.request_id, row.model_asked, answerer(row), row.route, row.tier, row.status, row.error_type, row.client, row.session_id, row.cache].join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function emptyWords(isLoading, isFiltered) {
  if (isLoading) return "Loading…";
  if (isFiltered) return "No request fits the filter.";
  return html`No requests yet. Point a client at <code>${location.origin}</code> and they appear here as they end.`;
}

function Why({ row, hasJournal }) {
  const [told, setTold] = useState(undefined);
  useEffect(() => {
    let isGone = false;
    let timer = 0;
    const look = async (isLast) => {
      const found = await ask(`request?id=${encodeURIComponent(row.request_id)}`).catch(() => ({ request: null }));
      if (isGone) return;
      if (found.request || isLast) setTold(found.request);
      else timer = setTimeout(() => look(true), JOURNAL_MS);
    };
    if (hasJournal) look(false);
    else setTold(null);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [row.request_id]);
  const all = { ...row, ...told };
  return html`<div class="why">
    <div><h4>Why this route</h4><p>${reason(all)}</p>${TIERS[all.tier] && html`<p>${TIERS[all.tier]}</p>`}
      ${all.considered?.length > 0 && html`<ol class="candidates">${all.considered.map((name, at) => {
        const isChosen = all.status < 400 && name.startsWith(`${answerer(all)} (`);
        return html`<li key=${at} class=${isChosen ? "chosen" : ""}>${name}${isChosen ? html` <b>answered</b>` : ""}</li>`;
      })}</ol>`}
      ${told === undefined && html`<p class="aside">Looking into the journal…</p>`}
      ${told === null && html`<p class="aside">${hasJournal ? "The journal does not know this request; this is what the log says." : "There is no journal; this is what the log says."}</p>`}
    </div>
    ${(all.tried?.length > 0 || all.notes?.length > 0 || all.healed || all.bridged || all.error_type) && html`<div>
      ${all.error_type && html`<h4>Error</h4><p>${all.error_type}</p>`}
      ${all.tried?.length > 0 && html`<h4>Came to nothing</h4><ul>${all.tried.map((text, at) => html`<li key=${at}>${text}</li>`)}</ul>`}
      ${all.notes?.length > 0 && html`<h4>Changed on the way</h4><ul>${all.notes.map((text, at) => html`<li key=${at}>${text}</li>`)}</ul>`}
      ${all.healed && html`<h4>Healed</h4><p>${all.healed}</p>`}${all.bridged && html`<h4>Bridged</h4><p>${all.bridged}</p>`}
    </div>`}
    <dl class="facts">${facts(all).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  </div>`;
}

function reason(row) {
  if (row.cache === "hit") return "It was answered from the cache: no provider was asked.";
  if (!row.route) return "It was refused before it was routed.";
  if (row.route.startsWith("rule:")) return `The rule ${row.route.slice(5)} holds for it.`;
  return WHY[row.route] ?? `It was recognised as the task ${row.route}, which has a route of its own.`;
}

function facts(row) {
  const pairs = [
    ["Request", row.request_id], ["Dialect", row.dialect], ["Answer", row.stream ? "stream" : "whole"],
    ["Stopped", row.stop_reason], ["Upstream calls", row.attempts], ["Router’s own time", milliseconds(row.overhead_ms)],
    ["Read from the provider’s cache", row.cache_read_tokens ? `${count(row.cache_read_tokens)} tokens` : null],
    ["Worker", row.worker], ["Client", row.client], ["Address", row.peer], ["Session", row.session_id], ["Agent", row.agent_id],
    ["Provider’s id", row.upstream_request_id], ["Usage", row.usage_estimated ? "estimated" : null],
  ];
  return pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== DASH).map(([name, value]) => [name, String(value)]);
}
