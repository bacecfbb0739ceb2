// The document has the text of every event, in order, for the browser's own find, for copying and for screen readers.
const lines = get("list").textContent.trimEnd().split("\n");
seen.lines = lines.length === run.steps && lines.every((line, step) => line.includes(run.events[step].text));
select(0);
const far = lineOf(run.steps - 300).trim();
getSelection().removeAllRanges();
seen.found = window.find(far) && getSelection().toString() === far;
getSelection().selectAllChildren(get("list"));
const copied = getSelection().toString();
seen.copied = copied.includes(far) && copied.includes(lineOf(0).trim());
getSelection().removeAllRanges();
seen.status = get("now").getAttribute("role") === "status" && get("now").textContent.includes(run.events[0].text);
// The line of each step stands beside its row of the diagram.
const block = [...get("list").children].findIndex((one) => !one.hidden);
seen.aligned = [...get("list").children].every((one) => one.offsetHeight === (one.textContent.split("\n").length - 1) * ROW);
