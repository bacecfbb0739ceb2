// Around what a test does in the page: what it sees is written down for it.
"use strict";
const seen = { errors: [] };
window.addEventListener("error", (error) => seen.errors.push(String(error.message)));

function look() {
  const { rows, messages, lanes } = canvas.dataset;
  return { rows: Number(rows), messages: Number(messages), lanes: Number(lanes), cards: document.querySelectorAll(".card").length };
}

// How many pixels of a canvas are not background.
function painted(canvas) {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
  return count;
}

function key(name, target = document.body, more = {}) {
  target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
  return shown.step;
}

function pointer(type, target, x, y, more = {}) {
  const { left, top } = target.getBoundingClientRect();
  const made = type === "wheel" ? WheelEvent : PointerEvent;
  target.dispatchEvent(new made(type, { clientX: left + x, clientY: top + y, bubbles: true, cancelable: true, ...more }));
}

// The switch of a filter, and the buttons beside it.
const filterOf = (name) => document.querySelector(`.filter[data-name="${name}"]`);
const press = (name) => filterOf(name).querySelector("input").click();
const pressOnly = (name) => filterOf(name).querySelector("button").click();
const pressEvery = (group, which) => [...document.querySelectorAll(`[data-group="${group}"] .every`)].find((button) => button.textContent === which).click();

function slide(step) {
  get("slider").value = step;
  get("slider").dispatchEvent(new Event("input"));
}

const centre = ({ box, line }) => box ? [box[0] + box[2] / 2, box[1] + box[3] / 2] : [(line[0] + line[2]) / 2, (line[1] + line[3]) / 2];
const isInSight = (step) => {
  const top = rowOf(step) * ROW - scroll.scrollTop;
  return shown.rows[rowOf(step)] === step && top >= 0 && top <= scroll.clientHeight - TOP - ROW;
};

try {
  /*TEST*/
} catch (error) {
  seen.errors.push(String(error.stack));
}
setTimeout(() => {
  seen.address = location.hash === link();
  document.body.append(Object.assign(document.createElement("pre"), { id: "seen", textContent: JSON.stringify(seen) }));
}, 500);
