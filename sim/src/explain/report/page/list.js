// The text of all events that are shown, in the document, so that the browser finds, copies and reads it.
//
// It stands in blocks of steps, each one text with a line a step. In a long run a block outside the window is not laid out
// (content-visibility: auto), but its text is there: the browser's own find looks through all of it, whatever is scrolled to, and so
// does a selection. A screen reader has the blocks near the window then, and all of them in a run that is not long; and it is told the
// text of each step that is selected.
"use strict";

const BLOCK = 256;
const LONG = 5000;
const blocks = [];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const DIGITS = Math.max(4, String(LAST).length);
const lineOf = (step) => (isOutside(step) ? "·" : " ") + String(step).padStart(DIGITS) + (step === run.brokenAt ? "  ✖ " : "  ") + run.events[step].text;

// The text of the block in which a step stands.
function fillBlock(number) {
  const steps = shown.rows.slice(rowOf(number * BLOCK), rowOf((number + 1) * BLOCK));
  const block = blocks[number];
  block.textContent = steps.map(lineOf).join("\n") + "\n";
  block.style.height = block.style.containIntrinsicHeight = steps.length * ROW + "px";
  block.hidden = steps.length === 0;
}

function fillList() {
  if (blocks.length === 0) {
    for (let step = 0; step < run.steps; step += BLOCK) blocks.push(document.createElement("div"));
    get("list").append(...blocks);
    get("list").className = run.steps > LONG ? "long" : "";
  }
  for (let number = 0; number < blocks.length; number++) fillBlock(number);
}

// Lines of events outside the past of the failure are dimmed: of those that are in the window, in which a highlight needs no elements.
function dimList(first, last) {
  if (!("highlights" in CSS)) return;
  const ranges = [];
  let [block, start] = [-1, 0];
  for (let row = rowOf(Math.floor((shown.rows[first] ?? 0) / BLOCK) * BLOCK); row <= last; row++) {
    const step = shown.rows[row];
    if (block !== Math.floor(step / BLOCK)) [block, start] = [Math.floor(step / BLOCK), 0];
    const end = start + lineOf(step).length;
    if (isOutside(step)) ranges.push(rangeOf(blocks[block].firstChild, start, end));
    start = end + 1;
  }
  CSS.highlights.set("rest", new Highlight(...ranges));
}

function rangeOf(text, start, end) {
  return new StaticRange({ startContainer: text, startOffset: start, endContainer: text, endOffset: end });
}

const refill = (steps) => new Set(steps.map((step) => Math.floor(step / BLOCK))).forEach(fillBlock);
