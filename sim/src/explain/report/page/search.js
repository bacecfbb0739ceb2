// The search: text of events, and fields of states at the step at which they became so, as "commit 7" or "role leader".
"use strict";

// Of each step all that is searched, in lower case; made when it is first needed.
let searched = null;
let found = [];
let foundText = "";

function searchedTexts() {
  const texts = run.events.map((event) => event.text);
  for (const [step, node, changes] of DATA.changes) texts[step] += `\nnode ${node}: ${fieldsText(changes)}`;
  return texts.map((text) => text.toLowerCase());
}

function fieldsText(changes) {
  const parts = Object.entries(changes).map(([name, value]) => {
    if (name === "log") return `log ${value[2].map(([term, index, text]) => `${term}/${index} ${text}`).join(" ")}`;
    if (name === "progress") return value.map(([peer, match, next, state]) => `progress ${peer}: match ${match} next ${next} ${state}`).join("; ");
    return `${name} ${value ?? "none"}`;
  });
  return parts.join(", ") + ",";
}

const isFound = (step) => found.length > 0 && found[lowerBound(found, step)] === step;

// Finds all steps with the text. Those that filters hide count as well: the one that is gone to is shown.
function findText(text) {
  foundText = text.trim().toLowerCase();
  searched ??= searchedTexts();
  found = [];
  if (foundText) searched.forEach((haystack, step) => { if (haystack.includes(foundText)) found.push(step); });
  drawFound();
  draw();
}

function drawFound() {
  const at = lowerBound(found, shown.step);
  const place = found[at] === shown.step ? `${at + 1} of ` : "";
  const hidden = found.filter((step) => !passes(step)).length;
  get("found").textContent = foundText === "" ? "" : found.length === 0 ? "not found" : `${place}${found.length}${hidden ? `, ${hidden} hidden` : ""}`;
}

// To the next found step after the selected one, or before it; past the end it begins anew.
function findNext(by) {
  if (get("find").value.trim().toLowerCase() !== foundText) findText(get("find").value);
  if (found.length === 0) return;
  const at = lowerBound(found, by > 0 ? shown.step + 1 : shown.step) - (by > 0 ? 0 : 1);
  select(found[(at + found.length) % found.length]);
}

function startSearch() {
  get("find").addEventListener("input", () => findText(get("find").value));
  get("find").addEventListener("keydown", (key) => {
    if (key.key === "Enter") findNext(key.shiftKey ? -1 : 1);
    if (key.key === "Escape") get("scroll").focus();
  });
  get("before").addEventListener("click", () => findNext(-1));
  get("after").addEventListener("click", () => findNext(1));
}
