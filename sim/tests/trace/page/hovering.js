// Every mark that is drawn says what it is, where it is; and text that is cut is told whole.
const place = get("run");
const tip = (x, y) => {
  const { left, top } = canvas.getBoundingClientRect();
  place.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y, bubbles: true }));
  return get("tip").hidden ? null : get("tip").textContent;
};
const told = new Set();
const wrong = [];
for (const step of [...turns.slice(0, 90), ...faults.slice(0, 60), LAST]) {
  select(step);
  for (const mark of targets) {
    const [x, y] = centre(mark);
    if (y < 0 || y > scroll.clientHeight - TOP) continue;
    told.add(mark.mark);
    if (tip(x, y) === null) wrong.push([step, mark.mark]);
  }
}
seen.wrong = wrong;
seen.told = [...told].sort();
const bar = targets.find((target) => target.mark in ROLE_SAYS);
seen.bar = /^node \d+: \S+/.test(bar.text);
const cut = shown.rows.find((step) => isCut(step, scroll.clientWidth - listLeft()));
if (cut !== undefined) {
  select(cut);
  seen.cut = tip(scroll.clientWidth - 20, (rowOf(cut) + 0.5) * ROW - scroll.scrollTop) === run.events[cut].text;
}
place.dispatchEvent(new PointerEvent("pointerleave"));
seen.left = get("tip").hidden;
// The legend knows each mark that was drawn, and each has a picture.
const known = new Set([...document.querySelectorAll("#legend li")].map((entry) => entry.dataset.mark));
seen.unknown = [...drawnMarks].filter((mark) => !known.has(mark));
seen.pictures = [...document.querySelectorAll("#legend canvas")].every((picture) => painted(picture) > 5);
seen.letters = Object.values(LETTERS).join("") + new Set(Object.entries(WIDTHS).map(([, width]) => width)).size;
