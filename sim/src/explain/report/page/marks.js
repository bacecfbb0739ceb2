// Every mark, once: how it is drawn, and what it says in the legend.
"use strict";

const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";
let palette = {};

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  palette = new Proxy({}, { get: (known, name) => known[name] ??= style.getPropertyValue("--" + name).trim() });
}

const LETTERS = { follower: "F", "pre-candidate": "P", candidate: "C", leader: "L", down: "D" };
const WIDTHS = { follower: 4, "pre-candidate": 10, candidate: 10, leader: 14, down: 10 };

// A role is a bar of its own width and pattern, so that it needs no colour to be told.
function bar(pen, role, x, top, bottom) {
  const [width, height] = [WIDTHS[role], Math.max(3, bottom - top)];
  const left = x - width / 2;
  pen.fillStyle = pen.strokeStyle = palette[role];
  if (role === "leader" || role === "follower") return pen.fillRect(left, top, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  if (role === "down") {
    pen.setLineDash([2, 3]);
    pen.stroke();
  } else {
    pen.stroke();
    pen.clip();
    const [from, to] = [Math.max(top, -20), Math.min(bottom, pen.canvas.height)];
    for (let y = from - (from % 6) - 12; y < to + 12; y += 6) {
      if (role === "candidate") segment(pen, left, y + width, left + width, y); else pen.fillRect(x - 1.5, y, 3, 3);
    }
  }
  pen.restore();
}

function segment(pen, x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}

function cross(pen, x, y, size = 4) {
  segment(pen, x - size, y - size, x + size, y + size);
  segment(pen, x - size, y + size, x + size, y - size);
}

function disc(pen, x, y, radius, filled) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  if (!filled) [pen.fillStyle, pen.lineWidth] = [palette.back, 1.5];
  pen.fill();
  if (!filled) pen.stroke();
  pen.lineWidth = 1;
}

function polygon(pen, points, filled = true) {
  pen.beginPath();
  points.forEach(([x, y], position) => position ? pen.lineTo(x, y) : pen.moveTo(x, y));
  pen.closePath();
  if (!filled) pen.fillStyle = palette.back;
  pen.fill();
  pen.stroke();
}

const square = (pen, x, y, filled) => polygon(pen, [[x - 3.5, y - 3.5], [x + 3.5, y - 3.5], [x + 3.5, y + 3.5], [x - 3.5, y + 3.5]], filled);
const diamond = (pen, x, y) => polygon(pen, [[x, y - 4.5], [x + 4.5, y], [x, y + 4.5], [x - 4.5, y]]);

function arrow(pen, x0, y0, x1, y1) {
  segment(pen, x0, y0, x1, y1);
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const [tipX, tipY] = [x1 - 5 * Math.cos(angle), y1 - 5 * Math.sin(angle)];
  const side = (turn) => [tipX - 8 * Math.cos(angle + turn), tipY - 8 * Math.sin(angle + turn)];
  polygon(pen, [[tipX, tipY], side(0.4), side(-0.4)]);
}

function dashed(pen, dashes, draw) {
  pen.setLineDash(dashes);
  draw();
  pen.setLineDash([]);
}

function ink(pen, name) {
  pen.fillStyle = pen.strokeStyle = palette[name];
}

// Around what stands on a bar, so that it is seen on each.
function halo(pen, x, y) {
  pen.fillStyle = palette.back;
  pen.beginPath();
  pen.arc(x, y, 5, 0, 7);
  pen.fill();
}

// An event at its node, by its class.
const EVENT_MARKS = {
  "ticks": (pen, x, y) => { pen.lineWidth = 2; segment(pen, x - 5, y, x + 5, y); pen.lineWidth = 1; },
  "requests": (pen, x, y) => square(pen, x, y, true),
  "retries": (pen, x, y) => square(pen, x, y, false),
  "host-steps": (pen, x, y) => disc(pen, x, y, 2.5, false),
  "messages": (pen, x, y) => disc(pen, x, y, 3, true),
  "faults": (pen, x, y) => { pen.lineWidth = 2.5; cross(pen, x, y, 4); pen.lineWidth = 1; },
  "others": (pen, x, y) => diamond(pen, x, y),
};

function eventMark(pen, name, x, y, isDim = false) {
  ink(pen, isDim ? "dim" : name === "faults" ? "lost" : "front");
  EVENT_MARKS[name](pen, x, y);
}

function brokenMark(pen, x, y) {
  ink(pen, "broken");
  disc(pen, x, y, 7, false);
  pen.lineWidth = 2.5;
  cross(pen, x, y, 3.5);
  pen.lineWidth = 1;
}

function cutMark(pen, x, top, bottom) {
  ink(pen, "cut");
  pen.lineWidth = 2;
  dashed(pen, [1, 4], () => segment(pen, x, top, x, bottom));
  pen.lineWidth = 1;
}

// A message: what is lost, or still under way at the end, does not arrive.
function messageMark(pen, fate, [x0, y0, x1, y1], name) {
  const part = fate >= 2 ? 0.82 : fate === 0 ? 0.4 : 1;
  const [x, y] = [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
  ink(pen, name ?? (fate >= 2 ? "lost" : "message"));
  pen.lineWidth = name === "front" ? 2.5 : 1;
  if (fate === 1) arrow(pen, x0, y0, x, y);
  else dashed(pen, fate === 0 ? [1, 3] : [5, 3], () => segment(pen, x0, y0, x, y));
  if (fate >= 2) cross(pen, x, y);
  pen.lineWidth = 1;
  return [x, y];
}

function operationMark(pen, [left, top, width, height], { isOpen, isRefuted, isRead }) {
  pen.fillStyle = palette[isRefuted ? "broken-back" : "card"];
  pen.strokeStyle = palette[isRefuted ? "broken" : isRead ? "follower" : "leader"];
  pen.fillRect(left, top, width, height);
  pen.lineWidth = isRefuted ? 2.5 : 1.5;
  pen.beginPath();
  pen.moveTo(left + width, top);
  pen.lineTo(left, top);
  pen.lineTo(left, top + height);
  pen.lineTo(left + width, top + height);
  if (!isOpen) pen.closePath();
  if (isOpen) dashed(pen, [3, 3], () => pen.stroke()); else pen.stroke();
  pen.lineWidth = 1;
}

// What the legend says, and the names by which what is hovered over is known.
const ROLE_SAYS = {
  follower: "follower", "pre-candidate": "pre-candidate, asks whether it could win", candidate: "candidate, asks for votes",
  leader: "leader; t is the term, as for all roles", down: "node that is down",
};
const EVENT_SAYS = {
  "ticks": "a clock ticks", "requests": "a client or an application asks", "retries": "a client asks again",
  "host-steps": "the host of a node works: writes, syncs, sends, applies", "messages": "a message arrives",
  "faults": "a fault: crash, restart, cut, loss, copy, disk", "others": "an operator or a transport speaks, or something is expected",
};
const LEGEND = [
  ...Object.entries(ROLE_SAYS).map(([name, says]) => (
    { name, says: `${LETTERS[name]}: ${says}`, draw: (pen) => bar(pen, name, 16, 1, 17) }
  )),
  ...Object.entries(EVENT_SAYS).map(([name, says]) => (
    { name, says, draw: (pen) => eventMark(pen, name, 16, 9) }
  )),
  { name: "broken", says: "what broke, and the nodes involved", draw: (pen) => brokenMark(pen, 16, 9) },
  { name: "delivered", says: "a message, from where it was sent to where it arrived", draw: (pen) => messageMark(pen, 1, [2, 3, 30, 15]) },
  { name: "lost", says: "a message that was lost, or dropped", draw: (pen) => messageMark(pen, 2, [2, 3, 30, 15]) },
  { name: "in flight", says: "a message that is under way at the end", draw: (pen) => messageMark(pen, 0, [2, 3, 60, 25]) },
  { name: "chosen", says: "the messages of the selected step", draw: (pen) => messageMark(pen, 1, [2, 3, 30, 15], "front") },
  { name: "cut", says: "a link that is cut, at both ends, on the side of the other node", draw: (pen) => cutMark(pen, 16, 1, 17) },
  { name: "rest", says: "dimmed, and · before the step: cannot have influenced the failure, by messages, storage or restarts",
    draw: (pen) => { messageMark(pen, 1, [2, 3, 30, 15], "dim"); eventMark(pen, "messages", 5, 4, true); } },
  { name: "selected", says: "the selected step", draw: (pen) => { pen.fillStyle = palette.select; pen.fillRect(0, 0, 32, 18); } },
  { name: "hit", says: "a step that was found", draw: (pen) => hitMark(pen, 12, 9) },
  { name: "term", says: "above: a new highest term", draw: (pen) => { ink(pen, "muted"); segment(pen, 16, 1, 16, 17); } },
  { name: "fault", says: "above: a fault", draw: (pen) => { ink(pen, "lost"); pen.fillRect(15, 5, 2, 8); } },
  { name: "failure", says: "above: what broke", draw: (pen) => { ink(pen, "broken"); pen.fillRect(14, 1, 4, 16); } },
  { name: "window", says: "above: the steps in the diagram", draw: (pen) => { ink(pen, "front"); pen.strokeRect(4.5, 2.5, 23, 13); } },
  { name: "curve", says: "above: the share of continuations that fail", draw: (pen) => { ink(pen, "broken"); segment(pen, 2, 16, 14, 12); segment(pen, 14, 12, 30, 2); } },
  { name: "jump", says: "above: where that share jumps", draw: (pen) => { ink(pen, "broken"); polygon(pen, [[16, 5], [11, 13], [21, 13]]); } },
  { name: "operation", says: "a write of a client, from question to answer; #n is its place in the order that explains", draw: (pen) => operationMark(pen, [3, 3, 26, 12], {}) },
  { name: "read", says: "a read of a client", draw: (pen) => operationMark(pen, [3, 3, 26, 12], { isRead: true }) },
  { name: "unanswered", says: "an operation that was never answered", draw: (pen) => operationMark(pen, [3, 3, 26, 12], { isOpen: true }) },
  { name: "refuted", says: "an answer that no order explains", draw: (pen) => operationMark(pen, [3, 3, 26, 12], { isRefuted: true }) },
  { name: "prefix", says: "the longest explainable prefix", draw: (pen) => prefixMark(pen, 0, 32, 18) },
];

function hitMark(pen, x, y) {
  ink(pen, "hit");
  polygon(pen, [[x, y - 5], [x + 8, y], [x, y + 5]]);
}

function prefixMark(pen, from, to, height) {
  pen.fillStyle = palette.select;
  pen.fillRect(from, 0, to - from, height);
  ink(pen, "front");
  dashed(pen, [4, 3], () => segment(pen, to - 0.5, 0, to - 0.5, height));
}

// Sizes a canvas for the screen, clears it, and returns its pen.
function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    [canvas.width, canvas.height] = [wide, high];
    [canvas.style.width, canvas.style.height] = [width + "px", height + "px"];
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
