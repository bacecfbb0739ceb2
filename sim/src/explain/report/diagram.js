// The diagram: a lane a node, a row a step; only the rows in the window are drawn.
"use strict";

const ROW = 18, LEFT = 64, LANE = 92, TOP = 26;
const scroll = document.getElementById("scroll");
const canvas = document.getElementById("diagram");
const pen = canvas.getContext("2d");

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue("--" + name).trim();
}

function lanes() { return DATA.nodes.filter((node) => shown.nodes.has(node)); }

function draw() {
  const colour = colours();
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [scroll.clientWidth, scroll.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const at = new Map(lanes().map((node, position) => [node, LEFT + LANE * (position + 0.5)]));
  const y = (row) => TOP + (row + 0.5) * ROW - scroll.scrollTop;
  const first = Math.max(0, Math.floor((scroll.scrollTop - TOP) / ROW));
  const last = Math.min(shown.rows.length - 1, Math.ceil((scroll.scrollTop + height) / ROW));
  if (last >= first) {
    const window_ = { at, y, first, last, from: shown.rows[first], to: shown.rows[last], width };
    drawSelection(colour, window_);
    drawLanes(colour, window_);
    drawCuts(colour, window_);
    const drawn = drawMessages(colour, window_);
    drawEvents(colour, window_);
    canvas.dataset.messages = drawn;
  } else {
    canvas.dataset.messages = 0;
  }
  canvas.dataset.rows = Math.max(0, last - first + 1);
  canvas.dataset.lanes = at.size;
  drawHead(colour, at, width);
}

function drawHead(colour, at, width) {
  pen.fillStyle = colour("back");
  pen.fillRect(0, 0, width, TOP - 2);
  pen.strokeStyle = colour("line");
  line(0, TOP - 2.5, width, TOP - 2.5);
  pen.fillStyle = colour("muted");
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "right";
  pen.fillText("step", LEFT - 14, 17);
  pen.font = "600 13px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.fillStyle = colour("front");
  for (const [node, x] of at) pen.fillText("node " + node, x, 17);
}

function drawSelection(colour, { y, first, last, width }) {
  const row = rowOf(shown.step);
  if (row >= first - 1 && row <= last + 1 && shown.rows[row] === shown.step) {
    pen.fillStyle = colour("select");
    pen.fillRect(0, y(row) - ROW / 2, width, ROW);
  }
  if (run.brokenAt >= 0 && run.brokenAt >= shown.rows[first] && run.brokenAt <= shown.rows[last]) {
    pen.fillStyle = colour("broken-back");
    pen.fillRect(0, y(rowOf(run.brokenAt)) - ROW / 2, width, ROW);
  }
}

// The bars: a role by its colour; a node that is down has none, but a pale one.
function drawLanes(colour, { at, y, from, to }) {
  for (const [node, x] of at) {
    for (const { role, term, start, end } of roles.get(node)) {
      if (end < from || start > to) continue;
      const [top, bottom] = [y(rowOf(start)), y(rowOf(end))];
      pen.fillStyle = colour(role);
      pen.globalAlpha = role === "down" ? 0.45 : 1;
      const half = role === "down" ? 16 : role === "leader" ? 6 : 4;
      pen.fillRect(x - half, top, 2 * half, Math.max(2, bottom - top));
      pen.globalAlpha = 1;
      label(role === "down" ? "down" : "t" + term, x + (role === "down" ? 20 : 10), Math.max(top + 4, TOP + 12), bottom, colour);
    }
  }
}

function label(text, x, y, bottom, colour) {
  if (y > bottom + ROW / 2) return;
  pen.fillStyle = colour("muted");
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "left";
  pen.fillText(text, x, y);
}

// A cut link is a band at each of its two lanes, on the side of the other; the more links, the darker.
function drawCuts(colour, { at, y, from, to }) {
  pen.fillStyle = colour("cut");
  pen.globalAlpha = 0.16;
  for (const [sender, receiver, start, end] of DATA.cuts) {
    if (end < from || start > to || !at.has(sender) || !at.has(receiver)) continue;
    const side = at.get(receiver) > at.get(sender) ? 1 : -1;
    const [top, bottom] = [y(rowOf(start)), y(rowOf(end))];
    for (const x of [at.get(sender) + side * 26, at.get(receiver) - side * 26]) pen.fillRect(x - 6, top, 12, bottom - top);
  }
  pen.globalAlpha = 1;
}

function drawMessages(colour, { at, y, from, to }) {
  let drawn = 0;
  const chosen = run.events[shown.step]?.message ?? -1;
  for (let id = 0; id < run.messages.length; id++) {
    const message = run.messages[id];
    if (message.sent > to) break;
    const end = message.end < 0 ? message.sent + 6 : message.end;
    if (end < from || !passesMessage(message)) continue;
    if (message.from === message.to) continue;
    drawn++;
    const lost = message.fate >= 2;
    const touched = id === chosen || message.sent === shown.step;
    const [x0, y0] = [at.get(message.from), y(rowOf(message.sent))];
    let [x1, y1] = [at.get(message.to), y(rowOf(end))];
    // What is lost, or still under way at the end, does not arrive.
    const part = lost ? 0.82 : message.fate === 0 ? 0.4 : 1;
    [x1, y1] = [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
    pen.strokeStyle = pen.fillStyle = touched ? colour("front") : lost ? colour("lost") : colour("message");
    pen.globalAlpha = touched ? 1 : message.fate === 0 ? 0.4 : 0.75;
    pen.lineWidth = touched ? 2 : 1;
    if (lost) pen.setLineDash([4, 3]);
    line(x0, y0, x1, y1);
    pen.setLineDash([]);
    if (lost) cross(x1, y1); else if (message.fate === 1) arrow(x0, y0, x1, y1);
    pen.lineWidth = 1;
    pen.globalAlpha = 1;
  }
  return drawn;
}

function drawEvents(colour, { at, y, first, last, width }) {
  const text = LEFT + LANE * at.size + 16;
  for (let row = first; row <= last; row++) {
    const step = shown.rows[row];
    const event = run.events[step];
    const broken = step === run.brokenAt;
    const node = event.message >= 0 ? run.messages[event.message]?.to : event.node;
    for (const marked of new Set(broken ? [node, ...DATA.involved] : [node])) {
      if (!at.has(marked)) continue;
      pen.fillStyle = broken ? colour("broken") : colour("front");
      pen.beginPath();
      pen.arc(at.get(marked), y(row), broken ? 6 : 2.5, 0, 7);
      pen.fill();
    }
    pen.font = "11px ui-monospace, monospace";
    pen.textAlign = "right";
    pen.fillStyle = colour("muted");
    pen.fillText(step, LEFT - 14, y(row) + 4);
    pen.font = (broken ? "600 " : "") + "12px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.fillStyle = broken ? colour("broken") : HOST_STEPS.has(event.kind) ? colour("muted") : colour("front");
    pen.fillText(fitting((broken ? "✖ " : "") + event.text, Math.max(40, width - text - 8)), text, y(row) + 4);
  }
}

// The text, cut where it is wider than this; the panel has all of it.
function fitting(text, width) {
  const wide = pen.measureText(text).width;
  return wide <= width ? text : text.slice(0, Math.floor((text.length * width) / wide) - 2) + "…";
}

function line(x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}

function cross(x, y) {
  line(x - 4, y - 4, x + 4, y + 4);
  line(x - 4, y + 4, x + 4, y - 4);
}

function arrow(x0, y0, x1, y1) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const [tipX, tipY] = [x1 - 5 * Math.cos(angle), y1 - 5 * Math.sin(angle)];
  pen.beginPath();
  pen.moveTo(tipX, tipY);
  for (const side of [0.4, -0.4]) pen.lineTo(tipX - 8 * Math.cos(angle + side), tipY - 8 * Math.sin(angle + side));
  pen.fill();
}

function resize() {
  document.getElementById("height").style.height = TOP + shown.rows.length * ROW + 12 + "px";
  draw();
}

function reveal(step) {
  const top = TOP + rowOf(step) * ROW;
  if (top < scroll.scrollTop + TOP + ROW || top > scroll.scrollTop + scroll.clientHeight - 2 * ROW) {
    scroll.scrollTop = top - scroll.clientHeight / 2;
  }
}

scroll.addEventListener("scroll", () => requestAnimationFrame(draw));
window.addEventListener("resize", resize);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
canvas.addEventListener("click", (click) => {
  const row = Math.floor((click.offsetY + scroll.scrollTop - TOP) / ROW);
  if (row >= 0 && row < shown.rows.length) select(shown.rows[row]);
});
