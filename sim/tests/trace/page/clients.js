seen.summary = get("clients").querySelector("summary").textContent;
seen.open = get("clients").open;
seen.words = get("refuted").textContent;
const texts = () => operationTargets.map((target) => `${target.mark}: ${target.text}`);
seen.bars = texts();
get("key").value = "";
get("key").dispatchEvent(new Event("change"));
seen.allBars = Number(operationCanvas.dataset.bars);
seen.marks = ["prefix", "refuted"].every((mark) => drawnMarks.has(mark));
const refuted = operationTargets.find((target) => target.mark === "refuted");
pointer("pointermove", operationCanvas, ...centre(refuted));
seen.tip = get("tip").textContent;
select(0);
const { left, top } = operationCanvas.getBoundingClientRect();
const [x, y] = centre(refuted);
operationCanvas.dispatchEvent(new MouseEvent("click", { clientX: left + x, clientY: top + y, bubbles: true }));
seen.clicked = shown.step === run.brokenAt;
// Each bar lasts from its question to its answer, on the axis of the run.
seen.spans = operationTargets.every(({ box, text }) => {
  const [, from, to] = /steps (\d+) to (\d+)/.exec(text) ?? [];
  return from === undefined || (Math.abs(box[0] - xOf(Number(from))) < 1 && Math.abs(box[0] + box[2] - xOf(Number(to))) < 5);
});
