// The run: its events and messages, and the state of every node at any step.
"use strict";

const get = (id) => document.getElementById(id);
const DATA = JSON.parse(get("data").textContent);
get("data").remove();

const run = {
  steps: DATA.events.length,
  events: DATA.events.map(([kind, node, other, message, text]) => (
    { kind: DATA.kinds[kind], class: DATA.classes[kind], node, other, message, text }
  )),
  messages: DATA.messages.map(([from, to, kind, sent, end, fate, text]) => (
    { from, to, kind: DATA.messageKinds[kind], sent, end, fate, text }
  )),
  operations: DATA.operations.map(([client, invoked, ended, key, text, answer]) => ({ client, invoked, ended, key, text, answer })),
  brokenAt: DATA.broken ? DATA.events.length - 1 : -1,
};
const FATES = ["in flight", "delivered", "dropped", "lost"];
const LAST = Math.max(0, run.steps - 1);

// Whether the failure cannot have been influenced by an event: its digit says so. A run that does not fail has no digits.
const isOutside = (step) => DATA.past !== null && DATA.past[step] !== "1";

// States are added up from the changes; some on the way are kept, so that any step is near one.
const KEEP_EVERY = 400;
const kept = [];
{
  const state = new Map();
  let position = 0;
  for (let step = 0; step < run.steps; step++) {
    if (step % KEEP_EVERY === 0) kept.push({ state: new Map(state), position });
    while (position < DATA.changes.length && DATA.changes[position][0] === step) change(state, DATA.changes[position++]);
  }
}

function change(state, [, node, changes]) {
  const before = state.get(node) ?? { log: { entries: [], from: 0, to: 0 }, progress: [] };
  state.set(node, { ...before, ...changes, log: changes.log ? changed(before.log, changes.log) : before.log });
}

// A log is a part of an array that those before and after it share, as long as nothing but its ends differ.
function changed({ entries, from, to }, [dropped, keep, added]) {
  const [start, end] = [from + dropped, from + dropped + keep];
  if (end !== entries.length) [entries, from] = [entries.slice(start, end), 0]; else from = start;
  for (const entry of added) entries.push(entry);
  return { entries, from, to: entries.length };
}

// Every node after a step.
function stateAt(step) {
  const near = kept[Math.floor(step / KEEP_EVERY)] ?? { state: new Map(), position: 0 };
  const state = new Map(near.state);
  for (let i = near.position; i < DATA.changes.length && DATA.changes[i][0] <= step; i++) change(state, DATA.changes[i]);
  return state;
}

// For each node the stretches of steps in which its role and term stay the same.
const roles = new Map(DATA.nodes.map((node) => [node, []]));
// The steps at which a role, a term or a commit index changes, for one key press each.
const turns = [];
for (const [step, node, changes] of DATA.changes) {
  if (("role" in changes || "term" in changes || "commit" in changes) && turns.at(-1) !== step) turns.push(step);
  const stretches = roles.get(node);
  const last = stretches.at(-1);
  const role = changes.role ?? last?.role;
  const term = changes.term ?? last?.term;
  if (last && last.role === role && last.term === term) continue;
  if (last) last.end = step;
  stretches.push({ role, term, start: step, end: run.steps });
}

// How often the clock that ran most had ticked after each step: the only time there is.
const ticks = new Uint32Array(run.steps);
{
  const clocks = new Map();
  let most = 0;
  run.events.forEach(({ kind, node }, step) => {
    if (kind === "Tick") {
      clocks.set(node, (clocks.get(node) ?? 0) + 1);
      most = Math.max(most, clocks.get(node));
    }
    ticks[step] = most;
  });
}

// The links that are cut after a step.
function cutsAt(step) {
  return DATA.cuts.filter(([, , start, end]) => start <= step && step < end).map(([from, to]) => `${from}→${to}`);
}

// The first position in a sorted list at which there is something not below this.
function lowerBound(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}
