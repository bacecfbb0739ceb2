const classes = () => [...new Set(shown.rows.filter((step) => step !== shown.step && step !== run.brokenAt).map((step) => run.events[step].class))];
const kinds = () => [...new Set(shown.rows.filter((step) => step !== shown.step && step !== run.brokenAt).map((step) => run.messages[run.events[step].message]?.kind))];
select(0);
const all = shown.rows.length;
const switched = GROUPS[1].names.map((name) => {
  press(name);
  const isGone = shown.rows.length < all && !classes().includes(name);
  press(name);
  return isGone && shown.rows.length === all;
});
seen.classes = switched.every(Boolean) && ["ticks", "host-steps", "faults", "others"].every((name) => GROUPS[1].names.includes(name));
seen.messages = DATA.messageKinds.every((kind) => {
  press(kind);
  const isGone = !kinds().includes(kind);
  press(kind);
  return isGone;
});
pressOnly("ticks");
pressEvery("messages", "none");
seen.only = classes().join();
seen.link = get("link").hash;
seen.lines = get("list").textContent.trimEnd().split("\n").length === shown.rows.length;
seen.words = get("filtering").querySelector("summary").textContent === `Filters: ${shown.rows.length} of ${run.steps} events are shown`;
// A step that filters hide is shown while it is selected, and in its place.
const hidden = run.events.findIndex((event, step) => step > 200 && event.class === "host-steps");
const before = shown.rows.length;
slide(hidden);
seen.selected = isInSight(hidden) && get("list").textContent.includes(lineOf(hidden)) && shown.rows.every((step, at) => at === 0 || shown.rows[at - 1] < step);
step(1);
seen.gone = !shown.rows.includes(hidden) && shown.rows.length <= before && !get("list").textContent.includes(lineOf(hidden) + "\n");
const address = get("link").hash;
pressEvery("events", "all");
pressEvery("messages", "all");
seen.everything = shown.rows.length === all && get("link").hash === `#step=${shown.step}`;
// The link brings step and filters back.
location.hash = address;
window.dispatchEvent(new Event("hashchange"));
seen.linked = classes().join() === "ticks" && get("link").hash === address && filterOf("host-steps").classList.contains("off");
pressEvery("nodes", "none");
pressEvery("events", "none");
seen.nothing = shown.rows.length <= 2 && isInSight(shown.step);
