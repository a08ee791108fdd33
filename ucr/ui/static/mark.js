// The state of a thing as a word beside a coloured dot: the colour says nothing that the word does not.

import { html } from "./vendor/preact.js";

const GOOD = ["serving", "running", "closed", "calm", "live", "hit"];
const BAD = ["open", "stopped", "stalled", "failed", "gave_up", "refused", "critical"];

const tone = (state) => (GOOD.includes(state) ? "good" : BAD.includes(state) ? "bad" : state && state !== "disabled" ? "warn" : "off");

export const Mark = ({ state, words }) => html`<span class="mark ${tone(state)}"><i aria-hidden="true"></i>${words ?? String(state ?? "not known").replace(/_/g, " ")}</span>`;
