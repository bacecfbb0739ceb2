// The slider, the filters, and the nodes at the step that is selected.
"use strict";

const get = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function select(step, fromLink = false) {
  shown.step = Math.max(0, Math.min(run.steps - 1, step));
  get("slider").value = shown.step;
  get("step").textContent = `step ${shown.step} of ${run.steps - 1}`;
  get("link").href = "#step=" + shown.step;
  if (!fromLink) history.replaceState(null, "", "#step=" + shown.step);
  reveal(shown.step);
  draw();
  drawPanel();
}

function drawPanel() {
  const [now, before] = [stateAt(shown.step), shown.step > 0 ? stateAt(shown.step - 1) : new Map()];
  const event = run.events[shown.step];
  const cards = DATA.nodes.filter((node) => shown.nodes.has(node) && now.has(node))
    .map((node) => card(node, now.get(node), before.get(node), event));
  const cuts = cutsAt(shown.step);
  get("panel").replaceChildren(
    element("div", { className: "now" }, event ? event.text : "nothing happened"),
    ...(cuts.length ? [element("div", { className: "cuts" }, "cut: " + cuts.join(", "))] : []),
    ...cards,
  );
}

function card(node, state, before, event) {
  const involved = shown.step === run.brokenAt && DATA.involved.includes(node);
  const touched = involved || event.node === node || event.other === node;
  const made = element("div", { className: "card" + (touched ? " touched" : "") });
  made.dataset.node = node;
  made.style.setProperty("--role", `var(--${state.role})`);
  made.append(element("h2", {}, `Node ${node}`, element("span", {}, state.role)));
  if (state.role === "down") return made;
  const field = (name, value, was) => element("span", { className: value === was ? "" : "changed" }, name + " ", element("i", {}, String(value)), "  ");
  const line = (...names) => element("p", {}, ...names.map(([name, key]) => field(name, state[key] ?? "–", before ? before[key] ?? "–" : null)));
  made.append(
    line(["term", "term"], ["vote", "vote"], ["leader", "leader"]),
    line(["last entry", "last"], ["commit", "commit"], ["applied", "applied"]),
    line(["", "members"]),
    log(state),
  );
  if (state.progress.length) made.append(progress(state.progress));
  return made;
}

// The newest entries; committed ones have a solid border, applied ones are filled.
function log(state) {
  const newest = state.log.slice(-14);
  const entries = newest.map(([term, index, text]) => {
    const name = (index <= state.commit ? "committed " : "") + (index <= state.applied ? "applied" : "");
    return element("span", { className: name, title: `${term}/${index} ${text}` }, `${term}/${index}${text ? " " + text : ""}`);
  });
  if (state.log.length > newest.length) entries.unshift(`${state.log.length - newest.length} earlier …`);
  return element("div", { className: "log" }, ...entries);
}

function progress(rows) {
  const head = element("tr", {}, ...["peer", "match", "next", "state", "heard from"].map((name) => element("th", {}, name)));
  const body = rows.map(([peer, match, next, state, active]) =>
    element("tr", {}, ...[peer, match, next, state, active ? "yes" : "no"].map((value) => element("td", {}, String(value)))));
  return element("table", {}, head, ...body);
}

function toggle(text, checked, changed) {
  const box = element("input", { type: "checkbox", checked });
  const made = element("label", { className: checked ? "" : "off" }, box, text);
  box.addEventListener("change", () => {
    made.className = box.checked ? "" : "off";
    changed(box.checked);
    filter();
    resize();
    select(shown.step);
  });
  return made;
}

function switchIn(set, value) {
  return (on) => { if (on) set.add(value); else set.delete(value); };
}

const ROLES = ["follower", "pre-candidate", "candidate", "leader", "down"];

function swatch(name) {
  const made = element("i");
  made.style.background = `var(--${name})`;
  return made;
}

function start() {
  const { seed, note, bug, recorder } = DATA.header;
  const about = [note, seed && `seed ${seed}`, bug && `planted bug ${bug}`, `${run.steps} events`, `recorded by version ${recorder}`];
  get("title").append("Raft run", element("small", {}, about.filter(Boolean).join(" · ")));
  document.title = "Raft run" + (seed ? ` of seed ${seed}` : "");
  if (DATA.broken) {
    get("broken").hidden = false;
    get("broken").textContent = "✖ " + DATA.broken;
    get("broken").addEventListener("click", () => select(run.brokenAt));
  }
  if (DATA.recorded) {
    get("recorded").hidden = false;
    get("recorded").textContent = "It was recorded with another end: " + DATA.recorded;
  }
  get("filters").append(
    element("b", {}, "nodes"), ...DATA.nodes.map((node) => toggle(String(node), true, switchIn(shown.nodes, node))),
    element("b", {}, "messages"), ...DATA.messageKinds.map((kind) => toggle(kind, true, switchIn(shown.messageKinds, kind))),
    element("b", {}, "events"), toggle("host steps", true, (on) => { shown.hostSteps = on; }),
  );
  const colours = [...ROLES, "cut"].map((name) => element("span", {}, swatch(name), name === "cut" ? "cut link" : name));
  get("legend").append(...colours, ...["→ message", "⇢× lost on the way"].map((text) => element("span", {}, text)));
  get("slider").max = Math.max(0, run.steps - 1);
  get("slider").addEventListener("input", () => select(Number(get("slider").value)));
  get("first").addEventListener("click", () => select(0));
  get("previous").addEventListener("click", () => step(-1));
  get("next").addEventListener("click", () => step(1));
  get("last").addEventListener("click", () => select(run.steps - 1));
  document.addEventListener("keydown", (key) => {
    if (key.target.type === "range") return;
    if (key.key === "ArrowRight") step(1); else if (key.key === "ArrowLeft") step(-1);
  });
  window.addEventListener("hashchange", follow);
  filter();
  resize();
  follow();
}

// To the next row that is shown.
function step(by) {
  const row = rowOf(shown.step) + by;
  if (row >= 0 && row < shown.rows.length) select(shown.rows[row]);
}

function follow() {
  const asked = /^#step=(\d+)$/.exec(location.hash);
  select(asked ? Number(asked[1]) : run.brokenAt >= 0 ? run.brokenAt : 0, true);
}

start();
