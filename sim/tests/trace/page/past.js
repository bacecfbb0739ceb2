// What cannot have influenced the failure is marked in the text and dimmed; a filter leaves it out, or all else.
const rest = shown.rows.filter(isOutside);
const marked = get("list").textContent.trimEnd().split("\n").map((line) => line[0] === "·");
seen.marked = rest.length > 0 && rest.length < run.steps / 2 && marked.every((isMarked, step) => isMarked === isOutside(step));
// In the window, whatever is scrolled to, exactly those lines have the colour of what is dimmed, and marks have it as well.
seen.dimmed = true;
for (const step of [rest[0], rest.at(-1), 0, LAST]) {
  slide(step);
  const [first, last] = visibleRows();
  const texts = [...CSS.highlights.get("rest")].map((range) => range.startContainer.data.slice(range.startOffset, range.endOffset));
  const inWindow = shown.rows.slice(first, last + 1).filter(isOutside).map(lineOf);
  seen.dimmed &&= inWindow.every((line) => texts.includes(line)) && texts.every((text) => text[0] === "·");
}
const style = getComputedStyle(get("list"), "::highlight(rest)").color;
const muted = getComputedStyle(get("keys")).color;
seen.readable = style === muted && muted !== getComputedStyle(get("list")).color;
slide(rest[0]);
const inks = [];
const usual = ink;
ink = (pen, name) => { inks.push(name); usual(pen, name); };
draw();
ink = usual;
seen.said = targets.findLast((target) => target.text.startsWith(`step ${rest[0]}: `))?.text;
seen.legend = inks.includes("dim") && document.querySelector('#legend [data-mark="rest"]').textContent.includes("dimmed");
// Only the past: no other events, and no messages that came to nothing.
select(0);
pressOnly("past");
seen.link = get("link").hash;
seen.only = shown.rows.length === run.steps - rest.length && !shown.rows.some(isOutside);
seen.lines = !get("list").textContent.includes("·");
slide(LAST);
const ends = run.messages.filter((message) => targets.some((target) => target.line && target.text.startsWith(message.text + "\nsent at " + message.sent + ",")));
seen.messages = ends.length > 0 && !ends.some(cameToNothing);
pressEvery("failure", "all");
seen.everything = shown.rows.length === run.steps;
location.hash = seen.link;
window.dispatchEvent(new Event("hashchange"));
seen.linked = shown.rows.length === run.steps - rest.length && filterOf("rest").classList.contains("off");
