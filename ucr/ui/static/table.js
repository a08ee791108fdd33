// Tables that are sorted by buttons in their heads, whose rows may open, and which become cards where there is no room.

import { html, useState } from "./vendor/preact.js";

// `columns`: {name, label, value(row), cell(row)?, isNumber?}; the first one names the row. `detail(row)` is what a row
// shows when it is open; `first` is [name, isDown], how the rows are sorted before anybody chooses; null leaves them. Of
// more than `most` rows the rest is shown on demand.
export function Table({ caption, columns, rows, keyOf, first = null, detail = null, empty, most = Infinity }) {
  const [order, setOrder] = useState(first);
  const [open, setOpen] = useState(null);
  const [number, setNumber] = useState(most);
  const sorted = inOrder(rows, columns, order);
  const choose = (column) => setOrder(order?.[0] === column.name ? [column.name, !order[1]] : [column.name, Boolean(column.isNumber)]);
  const turn = (row) => setOpen(open === keyOf(row) ? null : keyOf(row));
  if (!rows.length) return html`<p class="empty">${empty}</p>`;
  return html`<table role="table">
    <caption class="unseen">${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map((column) => html`
      <th key=${column.name} role="columnheader" scope="col" class=${column.isNumber ? "number" : ""} aria-sort=${sortWord(column, order)}>
        <button type="button" onClick=${() => choose(column)}>${column.label}<i aria-hidden="true"></i></button></th>`)}
    </tr></thead>
    <tbody role="rowgroup">${sorted.slice(0, number).map((row) => html`<${Row} key=${keyOf(row)} ...${{ row, columns, detail, turn }} isOpen=${open === keyOf(row)} />`)}</tbody>
  </table>${sorted.length > number && html`<button type="button" class="quiet more" onClick=${() => setNumber(number + 4 * most)}>Show more</button>`}`;
}

function Row({ row, columns, detail, turn, isOpen }) {
  const cells = columns.map((column, at) => {
    const shown = (column.cell ?? column.value)(row);
    const content = at === 0 && detail
      ? html`<button type="button" class="opener" aria-expanded=${String(isOpen)} onClick=${() => turn(row)}><i aria-hidden="true"></i>${shown}</button>`
      : shown;
    return html`<td key=${column.name} role="cell" data-label=${column.label} class=${`${column.isNumber ? "number " : ""}${at === 0 ? "main" : ""}`}>${content}</td>`;
  });
  return html`<tr role="row" class=${isOpen ? "is-open" : ""}>${cells}</tr>
    ${isOpen && html`<tr role="row" class="detail"><td role="cell" colspan=${columns.length}>${detail(row)}</td></tr>`}`;
}

const sortWord = (column, order) => (order?.[0] !== column.name ? "none" : order[1] ? "descending" : "ascending");

function inOrder(rows, columns, order) {
  const column = order && columns.find(({ name }) => name === order[0]);
  if (!column) return rows;
  const sign = order[1] ? -1 : 1;
  const isMissing = (value) => value === null || value === undefined || value === "";
  return [...rows].sort((a, b) => {
    const [one, other] = [column.value(a), column.value(b)];
    if (isMissing(one) || isMissing(other)) return Number(isMissing(one)) - Number(isMissing(other));
    return sign * (typeof one === "number" ? one - other : String(one).localeCompare(String(other), "en", { numeric: true }));
  });
}
