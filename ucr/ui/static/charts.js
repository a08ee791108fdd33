// Charts over time, drawn by uPlot. Each is a figure whose caption is its legend and, under the pointer, its readout.

import { html, useEffect, useRef } from "./vendor/preact.js";
import { DASH, count, milliseconds, moment, money, rate } from "./format.js";

const HEIGHT = 132;
const compactMs = (value) => (value === null ? "" : milliseconds(value).replace(" ", "\u202f"));

export const CHARTS = [
  { title: "Requests", unit: "per second", format: rate, series: [["requests", "requests", "one", true]] },
  { title: "Latency", unit: "to the last byte", format: milliseconds, axis: compactMs,
    series: [["p50", "total_p50", "one"], ["p99", "total_p99", "two"]] },
  { title: "Time to first byte", unit: "", format: milliseconds, axis: compactMs,
    series: [["p50", "ttfb_p50", "one"], ["p99", "ttfb_p99", "two"]] },
  { title: "Errors", unit: "per second", format: rate, series: [["errors", "errors", "bad", true]] },
  { title: "Tokens", unit: "per second", format: count, series: [["tokens", "tokens", "one", true]] },
  { title: "Cost", unit: "per hour", format: money, axis: (value) => `$${Number(value.toPrecision(3))}`, series: [["cost", "cost", "two", true]] },
];

export function Chart({ chart, columns, spanS, theme }) {
  const figure = useRef(null);
  const plot = useRef(null);
  const latest = useRef(columns);
  latest.current = columns;
  const data = () => [latest.current.at, ...chart.series.map(([, name]) => latest.current[name])];
  const read = (at) => chart.series.forEach(([, name], index) => {
    const column = latest.current[name];
    const value = column[at ?? lastKnown(column)];
    figure.current?.querySelectorAll("output")[index]?.replaceChildren(value == null ? DASH : chart.format(value));
  });
  useEffect(() => {
    const place = figure.current.querySelector(".plot");
    plot.current = new uPlot(options(chart, place, spanS, figure.current, read), data(), place);
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height: HEIGHT }));
    sized.observe(place);
    return () => {
      sized.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [theme, spanS]);
  useEffect(() => {
    plot.current?.setData(data());
    if (plot.current?.cursor.idx == null) read(null);
  }, [columns, theme, spanS]);
  const isEmpty = !chart.series.some(([, name]) => columns[name].some((value) => value !== null));
  return html`<figure class="chart" ref=${figure}>
    <figcaption>
      <h3>${chart.title} <span class="unit">${chart.unit}</span></h3>
      <span class="keys">${chart.series.map(([label, , colour]) => html`<span class="key ${colour}" key=${label}>
        <i aria-hidden="true"></i>${chart.series.length > 1 ? html`<span>${label}</span>` : ""}<output></output></span>`)}</span>
    </figcaption>
    <div class="plot" role="img" aria-label=${summary(chart, columns)}></div>
    ${isEmpty && html`<p class="nothing">nothing yet</p>`}
  </figure>`;
}

function lastKnown(column) {
  let at = column.length - 1;
  while (at > 0 && column[at] == null) at -= 1;
  return at;
}

function summary(chart, columns) {
  const words = chart.series.map(([label, name]) => {
    const known = columns[name].filter((value) => value != null);
    return known.length ? `${label}: now ${chart.format(known.at(-1))}, at most ${chart.format(Math.max(...known))}` : `${label}: nothing yet`;
  });
  return `${chart.title} ${chart.unit}. ${words.join("; ")}`;
}

function options(chart, place, spanS, figure, read) {
  const colours = getComputedStyle(document.documentElement);
  const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
  const font = `11px ${colours.getPropertyValue("--sans")}`;
  const axis = { stroke: colour("faint"), font, ticks: { show: false }, border: { show: false } };
  const grid = { stroke: colour("grid"), width: 1 };
  return {
    width: place.clientWidth || 300, height: HEIGHT, padding: [8, 14, 0, 0], legend: { show: false },
    cursor: { sync: { key: "charts" }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_, _low, high) => [(high ?? Date.now() / 1000) - spanS, high ?? Date.now() / 1000] },
      y: { range: (_, _low, high) => [0, high > 0 ? high * 1.12 : 1] },
    },
    axes: [
      { ...axis, size: 24, gap: 4, space: 74, grid: { show: false }, values: (_, ticks) => ticks.map((at) => tick(at, spanS)) },
      { ...axis, size: 52, gap: 6, space: 34, grid, values: (_, ticks) => ticks.map((value) => (chart.axis ?? chart.format)(value)) },
    ],
    series: [{}, ...chart.series.map(([, , name, isFilled]) => ({
      stroke: colour(name), width: 1.6, points: { show: true, size: 4, width: 0, fill: colour(name), filter: alone }, fill: isFilled ? colour(`${name}-soft`) : undefined, spanGaps: false,
    }))],
    hooks: { setCursor: [(drawn) => {
      read(drawn.cursor.idx);
      figure.classList.toggle("is-read", drawn.cursor.idx != null);
      if (drawn.cursor.idx != null) figure.dataset.at = moment(drawn.data[0][drawn.cursor.idx] * 1000);
    }] },
  };
}

// A value between two that are not known would be no line: it is a point.
function alone(drawn, index) {
  const column = drawn.data[index];
  const known = (at) => column[at] !== null && column[at] !== undefined;
  return column.flatMap((_, at) => (known(at) && !known(at - 1) && !known(at + 1) ? [at] : []));
}

function tick(at, spanS) {
  const date = new Date(at * 1000);
  const two = (number) => String(number).padStart(2, "0");
  if (spanS > 2 * 86_400) return `${date.toLocaleString(undefined, { month: "short" })} ${date.getDate()}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}${spanS <= 600 && date.getSeconds() ? `:${two(date.getSeconds())}` : ""}`;
}
