// What is shown: the step, and what filters leave out; both are kept in the link.
"use strict";

// What can be left out, by the name that it has in the link.
const GROUPS = [
  { title: "nodes", names: DATA.nodes.map((node) => `node-${node}`), label: (name) => name.slice(5) },
  { title: "events", names: [...new Set(DATA.classes)].filter((name) => name !== "messages").sort(), label: (name) => name.replace("-", " ") },
  { title: "messages", names: [...DATA.messageKinds].sort(), label: (name) => name },
  // Of the failure, if there is one.
  ...(DATA.past === null ? [] : [{ title: "failure", names: ["past", "rest"], label: (name) => `the ${name}` }]),
];

const shown = {
  step: 0,
  hidden: new Set(),
  // The steps that are shown, in order: what passes, and the one that is selected, whatever it is.
  rows: [],
};

const showsPast = (isRest) => !shown.hidden.has(isRest ? "rest" : "past");
const showsNode = (node) => !shown.hidden.has(`node-${node}`);

function passes(step) {
  const event = run.events[step];
  if (step === run.brokenAt) return true;
  if (shown.hidden.has(event.class) || !showsPast(isOutside(step))) return false;
  const message = run.messages[event.message];
  if (message) return passesMessage(message);
  return event.node === 0 || showsNode(event.node) || (event.other !== 0 && showsNode(event.other));
}

function passesMessage(message) {
  return showsNode(message.from) && showsNode(message.to) && !shown.hidden.has(message.kind);
}

function filter() {
  shown.rows = [];
  for (let step = 0; step < run.steps; step++) if (passes(step) || step === shown.step) shown.rows.push(step);
}

// The row of a step, or of the first one after it that is shown.
const rowOf = (step) => lowerBound(shown.rows, step);

// Moves the selection. Returns the steps whose lines came or went with it.
function moveTo(step) {
  const [before, touched] = [shown.step, []];
  shown.step = Math.max(0, Math.min(LAST, step));
  if (before !== shown.step && !passes(before)) {
    shown.rows.splice(rowOf(before), 1);
    touched.push(before);
  }
  if (shown.rows[rowOf(shown.step)] !== shown.step && run.steps > 0) {
    shown.rows.splice(rowOf(shown.step), 0, shown.step);
    touched.push(shown.step);
  }
  return touched;
}

function link() {
  const parts = [`step=${shown.step}`];
  if (shown.hidden.size) parts.push("hide=" + [...shown.hidden].sort().join(","));
  return "#" + parts.join("&");
}

// What a link asks for.
function asked(hash) {
  const parts = new Map(hash.slice(1).split("&").map((part) => part.split("=")));
  const step = parts.get("step");
  const known = new Set(GROUPS.flatMap((group) => group.names));
  const hidden = (parts.get("hide") ?? "").split(",").filter((name) => known.has(name));
  return { step: /^\d+$/.test(step ?? "") ? Number(step) : null, hidden: new Set(hidden) };
}
