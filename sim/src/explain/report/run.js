// The run: its events and messages, and the state of every node at any step.
"use strict";

const LOSSES = ["in flight", "delivered", "dropped", "lost"];
const HOST_STEPS = new Set(["TakeReady", "Write", "Sync", "SyncDone", "Release", "Send", "Apply", "Advance"]);

const run = {
  steps: DATA.events.length,
  events: DATA.events.map(([kind, node, other, message, text]) => ({ kind: DATA.kinds[kind], node, other, message, text })),
  messages: DATA.messages.map(([from, to, kind, sent, end, fate, text]) => (
    { from, to, kind: DATA.messageKinds[kind], sent, end, fate, text }
  )),
  brokenAt: DATA.broken ? DATA.events.length - 1 : -1,
};

// States are added up from the changes; some on the way are kept, so that any step is near one.
const KEEP_EVERY = 400;
const kept = [];
{
  let state = new Map();
  let position = 0;
  for (let step = 0; step < run.steps; step++) {
    if (step % KEEP_EVERY === 0) kept.push({ state: new Map(state), position });
    while (position < DATA.changes.length && DATA.changes[position][0] === step) change(state, DATA.changes[position++]);
  }
}

function change(state, [, node, changes]) {
  const before = state.get(node) ?? { log: [], progress: [] };
  const now = { ...before, ...changes, log: before.log };
  if (changes.log) {
    const [dropped, keep, added] = changes.log;
    now.log = before.log.slice(dropped, dropped + keep).concat(added);
  }
  state.set(node, now);
}

// Every node after a step.
function stateAt(step) {
  const near = kept[Math.floor(step / KEEP_EVERY)] ?? { state: new Map(), position: 0 };
  const state = new Map(near.state);
  for (let i = near.position; i < DATA.changes.length && DATA.changes[i][0] <= step; i++) change(state, DATA.changes[i]);
  return state;
}

// For each node the stretches of steps in which its role stays the same.
const roles = new Map(DATA.nodes.map((node) => [node, []]));
for (const [step, node, changes] of DATA.changes) {
  const stretches = roles.get(node);
  const last = stretches.at(-1);
  const role = changes.role ?? last?.role;
  const term = changes.term ?? last?.term;
  if (last && last.role === role && last.term === term) continue;
  if (last) last.end = step;
  stretches.push({ role, term, start: step, end: run.steps });
}

// The links that are cut after a step.
function cutsAt(step) {
  return DATA.cuts.filter(([, , start, end]) => start <= step && step < end).map(([from, to]) => `${from}→${to}`);
}

// What is shown.
const shown = {
  step: 0,
  nodes: new Set(DATA.nodes),
  messageKinds: new Set(DATA.messageKinds),
  hostSteps: true,
  rows: [],
};

function passes(step) {
  const event = run.events[step];
  if (step === run.brokenAt) return true;
  if (!shown.hostSteps && HOST_STEPS.has(event.kind)) return false;
  if (event.message >= 0 && run.messages[event.message]) return passesMessage(run.messages[event.message]);
  return event.node === 0 || shown.nodes.has(event.node) || shown.nodes.has(event.other);
}

function passesMessage(message) {
  return shown.nodes.has(message.from) && shown.nodes.has(message.to) && shown.messageKinds.has(message.kind);
}

function filter() {
  shown.rows = [];
  for (let step = 0; step < run.steps; step++) if (passes(step)) shown.rows.push(step);
}

// The row of a step, or of the first one after it that is shown.
function rowOf(step) {
  let [low, high] = [0, shown.rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shown.rows[middle] < step) low = middle + 1; else high = middle;
  }
  return low;
}
