// All that the page knows, and how it changes with what it hears. Nothing here touches the page.

export const LIVE_POINTS = 300; // one each second
export const MOST_REQUESTS = 200;
const MOST_HAPPENINGS = 60;
const COST_S = 10; // over how long what is spent becomes a rate, as the router does it with requests
const COLUMNS = ["requests", "errors", "tokens", "cost", "total_p50", "total_p99", "ttfb_p50", "ttfb_p99"];

export const BEGIN = {
  link: "connecting", reason: "", until: 0,
  state: null, stateAt: 0,
  statistics: null, heardAt: 0,
  live: { at: [], spent: [], ...Object.fromEntries(COLUMNS.map((name) => [name, []])) },
  requests: [], happenings: [], hasJournal: null, number: 0,
  announcement: "",
};

export function reduce(all, told) {
  switch (told.kind) {
    case "link": return { ...all, link: told.link, reason: told.reason ?? "", until: told.until ?? 0, announcement: linkWords(told, all) };
    case "state": return { ...all, state: told.state, stateAt: Date.now() };
    case "journal": return { ...all, hasJournal: told.requests !== null, requests: joined(all.requests, told.requests ?? []) };
    case "events": return ["locked", "refused"].includes(all.link) ? all : told.events.reduce(heard, all);
    case "past": return { ...all, live: before(all.live, told.history) };
    case "forget": return { ...BEGIN, link: all.link, reason: all.reason, announcement: all.announcement };
    default: return all;
  }
}

function linkWords(told, all) {
  if (told.link === "waiting" && all.link === "live") return "The connection to the router is lost.";
  if (told.link === "locked") return "The admin key is needed.";
  return told.link === "refused" ? "The router refuses to show the dashboard." : "";
}

function heard(all, event) {
  if (event.event === "statistics") return measured(all, event);
  if (event.event === "request.finished") {
    if (!event.model_asked && !event.error_type) return all;
    const request = { ...event, at: event.timestamp };
    return { ...all, requests: joined(all.requests, [request]) };
  }
  const happening = { ...event, number: all.number };
  const announcement = ["warning", "error", "critical"].includes(event.level) ? words(event) : all.announcement;
  return { ...all, number: all.number + 1, announcement, happenings: [happening, ...all.happenings].slice(0, MOST_HAPPENINGS) };
}

// What the journal knows of the minutes before this page was opened, and then what the page has seen itself.
function before(live, history) {
  if (!history) return live;
  const first = live.at[0] ?? Infinity;
  const number = history.at.filter((at) => at - history.width_s < first).length;
  const own = live.requests[0] === null ? 1 : 0; // the first thing that is told has no rates yet
  return Object.fromEntries(Object.keys(live).map((name) => {
    const past = history[name]?.slice(0, number) ?? Array(number).fill(null);
    if (name === "at" && number && past[number - 1] >= first) past[number - 1] = first - 0.1;
    return [name, [...past, ...live[name].slice(own)]];
  }));
}

const words = (event) => [event.event.replace(/[._]/g, " "), event.provider ?? event.actor ?? event.worker].filter(Boolean).join(": ");

// The latest first, each request once, whether it was heard of live or is in the journal.
function joined(known, more) {
  const all = new Map();
  for (const request of [...known, ...more]) {
    const { timestamp, level, event, ...rest } = request;
    all.set(request.request_id, { ...all.get(request.request_id), ...rest });
  }
  return [...all.values()].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, MOST_REQUESTS);
}

function measured(all, event) {
  const at = Date.parse(event.timestamp) / 1000;
  const passed = all.live.at.length ? at - all.live.at.at(-1) : 0;
  if (all.live.at.length && passed <= 0) return { ...all, statistics: event, heardAt: Date.now() };
  const { total, ttfb } = event.times_ms;
  const point = {
    at, requests: event.requests.per_s, errors: event.requests.errors_per_s, tokens: event.tokens_per_s,
    cost: spending(all.live, at, event.cost_usd), spent: event.cost_usd,
    total_p50: total.p50, total_p99: total.p99, ttfb_p50: ttfb.p50, ttfb_p99: ttfb.p99,
  };
  const gap = passed > 5 ? at - passed / 2 : null; // nothing is drawn over a time that nobody saw
  const live = Object.fromEntries(["at", "spent", ...COLUMNS].map((name) => {
    const column = all.live[name].slice(-LIVE_POINTS);
    if (gap !== null) column.push(name === "at" ? gap : null);
    column.push(point[name]);
    return [name, column];
  }));
  const announcement = all.link === "live" ? all.announcement : "Connected to the router.";
  return { ...all, link: "live", reason: "", announcement, live, statistics: event, heardAt: Date.now() };
}

// What was spent in the last seconds, in dollars per hour; null where nobody knows.
function spending(live, at, total) {
  const from = live.at.findLastIndex((then) => then <= at - COST_S + 0.5);
  const start = from >= 0 && live.spent[from] !== null ? from : live.spent.findIndex((spent, index) => spent !== null && index > from);
  const passed = at - live.at[start];
  if (!(passed > 0 && passed < 3 * COST_S) || total < live.spent[start]) return null;
  return (total - live.spent[start]) / passed * 3600;
}
