// The filters: a switch for each node, each class of events and each kind of message; of each group all, none, or only one.
"use strict";

function hide(names, isHidden) {
  for (const name of names) if (isHidden) shown.hidden.add(name); else shown.hidden.delete(name);
}

// After filters have changed: the rows, and all that is drawn of them. The selected step stays, and stays in sight.
function refilter() {
  filter();
  fillList();
  drawFilters();
  resize();
  select(shown.step);
}

function toggle(group, name) {
  const box = element("input", { type: "checkbox", name });
  const only = element("button", { textContent: "only", title: `Only ${group.label(name)}` });
  const made = element("span", { className: "filter" }, element("label", {}, box, group.label(name)), only);
  made.dataset.name = name;
  box.addEventListener("change", () => { hide([name], !box.checked); refilter(); });
  only.addEventListener("click", () => { hide(group.names, true); hide([name], false); refilter(); });
  return made;
}

function startFilters() {
  for (const group of GROUPS) {
    const all = element("button", { textContent: "all", className: "every" });
    const none = element("button", { textContent: "none", className: "every" });
    all.addEventListener("click", () => { hide(group.names, false); refilter(); });
    none.addEventListener("click", () => { hide(group.names, true); refilter(); });
    const made = element("fieldset", {}, element("legend", {}, group.title), all, none, ...group.names.map((name) => toggle(group, name)));
    made.dataset.group = group.title;
    get("filters").append(made);
  }
}

function drawFilters() {
  for (const box of get("filters").querySelectorAll("input")) {
    box.checked = !shown.hidden.has(box.name);
    box.closest(".filter").classList.toggle("off", !box.checked);
  }
  const hidden = run.steps - shown.rows.length;
  get("filtering").querySelector("summary").textContent = hidden ? `Filters: ${shown.rows.length} of ${run.steps} events are shown` : "Filters: all events are shown";
}
