// The nodes at the step that is selected.
"use strict";

function drawPanel() {
  const [now, before] = [stateAt(shown.step), shown.step > 0 ? stateAt(shown.step - 1) : new Map()];
  const event = run.events[shown.step];
  const cards = DATA.nodes.filter((node) => showsNode(node) && now.has(node))
    .map((node) => card(node, now.get(node), before.get(node), event));
  const cuts = cutsAt(shown.step);
  get("now").textContent = event ? `step ${shown.step}: ${event.text}` : "nothing happened";
  get("cards").replaceChildren(
    ...(cuts.length ? [element("div", { className: "cuts" }, "cut: " + cuts.join(", "))] : []),
    ...cards,
  );
}

function card(node, state, before, event) {
  const involved = shown.step === run.brokenAt && DATA.involved.includes(node);
  const touched = involved || event.node === node || event.other === node;
  const made = element("section", { className: "card" + (touched ? " touched" : "") });
  made.dataset.node = node;
  made.style.setProperty("--role", `var(--${state.role})`);
  const badge = element("b", { className: `badge ${state.role}`, textContent: LETTERS[state.role], ariaHidden: "true" });
  made.append(element("h2", {}, badge, `Node ${node}`, element("span", { className: state.role === before?.role ? "" : "changed" }, state.role)));
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
  const { entries, from, to } = state.log;
  const newest = entries.slice(Math.max(from, to - 14), to);
  const shownEntries = newest.map(([term, index, text]) => {
    const name = (index <= state.commit ? "committed " : "") + (index <= state.applied ? "applied" : "");
    return element("span", { className: name, title: `${term}/${index} ${text}` }, `${term}/${index}${text ? " " + text : ""}`);
  });
  if (to - from > newest.length) shownEntries.unshift(`${to - from - newest.length} earlier …`);
  return element("div", { className: "log" }, ...shownEntries);
}

function progress(rows) {
  const head = element("tr", {}, ...["peer", "match", "next", "state", "heard from"].map((name) => element("th", {}, name)));
  const body = rows.map(([peer, match, next, state, active]) =>
    element("tr", {}, ...[peer, match, next, state, active ? "yes" : "no"].map((value) => element("td", {}, String(value)))));
  return element("table", {}, head, ...body);
}
