// Runs in the page, and writes down what it sees for the test.
"use strict";
const seen = { errors: [] };
window.addEventListener("error", (error) => seen.errors.push(String(error.message)));

function look() {
  const { rows, messages, lanes } = canvas.dataset;
  return { rows: Number(rows), messages: Number(messages), lanes: Number(lanes), cards: document.querySelectorAll(".card").length };
}

// How many pixels of the diagram are not background.
function painted() {
  const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
  return count;
}

function press(text) {
  const label = [...document.querySelectorAll("#filters label")].find((label) => label.textContent === text);
  label.querySelector("input").click();
}

function slide(step) {
  get("slider").value = step;
  get("slider").dispatchEvent(new Event("input"));
}

try {
  seen.steps = run.steps;
  seen.broken = document.getElementById("broken").textContent;
  seen.startedAt = shown.step;
  slide(10);
  seen.slid = { step: shown.step, text: get("step").textContent, hash: location.hash, ...look() };
  seen.painted = painted();
  const began = performance.now();
  slide(run.steps - 1);
  seen.milliseconds = performance.now() - began;
  seen.end = look();
  seen.endText = document.querySelector("#panel .now").textContent;
  seen.terms = [...document.querySelectorAll(".card")].map((card) => card.querySelector("p i")?.textContent);
  get("previous").click();
  seen.previous = shown.step;
  const all = shown.rows.length;
  press("host steps");
  seen.withoutHostSteps = shown.rows.length < all && shown.rows.every((step) => step === run.brokenAt || !HOST_STEPS.has(run.events[step].kind));
  press("host steps");
  seen.allAgain = shown.rows.length === all;
  press(DATA.messageKinds[0]);
  seen.withoutKind = shown.rows.every((step) => step === run.brokenAt || run.messages[run.events[step].message]?.kind !== DATA.messageKinds[0]);
  press(DATA.messageKinds[0]);
  press("1");
  seen.withoutNode = look();
  press("1");
  if (DATA.cuts.length) {
    slide(DATA.cuts[0][2]);
    seen.cut = document.querySelector("#panel .cuts").textContent;
  }
  location.hash = "#step=5";
  window.dispatchEvent(new Event("hashchange"));
  seen.linked = shown.step;
} catch (error) {
  seen.errors.push(String(error.stack));
}
document.body.append(Object.assign(document.createElement("pre"), { id: "seen", textContent: JSON.stringify(seen) }));
