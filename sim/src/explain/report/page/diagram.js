// The diagram: a lane a node, a row a step; only the rows in the window are drawn.
"use strict";

const ROW = 18, LEFT = 10, TOP = 26;
const scroll = get("scroll");
const canvas = get("diagram");
// What was drawn last and can be hovered over: a mark, its text, and a box or a line.
let targets = [];
// All marks that were drawn so far: the legend has to know each.
const drawnMarks = new Set();

function target(mark, text, shape) {
  drawnMarks.add(mark);
  targets.push({ mark, text, ...shape });
}

const lanes = () => DATA.nodes.filter(showsNode);
// Lanes are as wide as there is room beside the list.
const laneWidth = () => Math.max(38, Math.min(84, (scroll.clientWidth * 0.55 - LEFT) / Math.max(1, lanes().length)));
const listLeft = () => Math.round(LEFT + laneWidth() * lanes().length + 8);

// Of each so many messages the last step at which one of them ends: most need not be looked at.
const STRIDE = 512;
const lastEnds = [];
run.messages.forEach((message, id) => {
  const stride = Math.floor(id / STRIDE);
  lastEnds[stride] = Math.max(lastEnds[stride] ?? 0, endOf(message));
});

// Whether nothing that a message did can have influenced the failure.
const cameToNothing = (message) => DATA.past !== null && (message.end < 0 || isOutside(message.end));

function endOf(message) { return message.end < 0 ? message.sent + 6 : message.end; }

function visibleRows() {
  const height = scroll.clientHeight - TOP;
  const first = Math.max(0, Math.floor(scroll.scrollTop / ROW));
  return [first, Math.min(shown.rows.length - 1, Math.ceil((scroll.scrollTop + height) / ROW))];
}

function draw() {
  const [width, height] = [scroll.clientWidth, Math.max(0, scroll.clientHeight - TOP)];
  const pen = prepare(canvas, width, height);
  const lane = laneWidth();
  const at = new Map(lanes().map((node, position) => [node, LEFT + lane * (position + 0.5)]));
  const y = (row) => (row + 0.5) * ROW - scroll.scrollTop;
  const [first, last] = visibleRows();
  targets = [];
  const window_ = { pen, at, y, first, last, from: shown.rows[first], to: shown.rows[last], width, height };
  if (last >= first) {
    drawBands(window_);
    drawLanes(window_);
    drawCuts(window_);
    canvas.dataset.messages = drawMessages(window_);
    drawEvents(window_);
  } else {
    canvas.dataset.messages = 0;
  }
  dimList(first, last);
  canvas.dataset.rows = Math.max(0, last - first + 1);
  canvas.dataset.lanes = at.size;
}

// The rows that stand out: the selected one, the one that broke, and what was found.
function drawBands({ pen, y, first, last, width }) {
  for (let row = first; row <= last; row++) {
    const step = shown.rows[row];
    const name = step === shown.step ? "select" : step === run.brokenAt ? "broken-back" : null;
    if (name) {
      pen.fillStyle = palette[name];
      pen.fillRect(0, y(row) - ROW / 2, width, ROW);
      drawnMarks.add(step === shown.step ? "selected" : "broken");
    }
    if (step === shown.step) {
      ink(pen, "front");
      pen.strokeRect(0.5, y(row) - ROW / 2 + 0.5, width - 1, ROW - 1);
    }
    if (isFound(step)) {
      hitMark(pen, 1, y(row));
      target("hit", "found", { box: [0, y(row) - 6, 10, 12] });
    }
  }
}

function drawLanes({ pen, at, y, from, to, height }) {
  for (const [node, x] of at) {
    for (const { role, term, start, end } of roles.get(node)) {
      if (end < from || start > to) continue;
      const [top, bottom] = [y(rowOf(start)), y(rowOf(end))];
      bar(pen, role, x, top, bottom);
      target(role, `node ${node}: ${role}${role === "down" ? "" : `, term ${term}`}, steps ${start} to ${end - 1}`,
        { box: [x - 8, top, 16, bottom - top] });
      const text = role === "down" ? "D" : `${LETTERS[role]} t${term}`;
      roleLabel(pen, text, role, x + WIDTHS[role] / 2 + 3, Math.max(top + 4, 11), Math.min(bottom, height));
    }
  }
}

function roleLabel(pen, text, role, x, y, bottom) {
  if (y > bottom + ROW / 2) return;
  pen.font = `600 11px ${FONT}`;
  pen.textAlign = "left";
  const width = pen.measureText(text).width;
  pen.fillStyle = palette.back;
  pen.fillRect(x - 1, y - 9, width + 2, 12);
  pen.fillStyle = palette[role];
  pen.fillText(text, x, y);
}

function drawCuts({ pen, at, y, from, to }) {
  for (const [sender, receiver, start, end] of DATA.cuts) {
    if (end < from || start > to || !at.has(sender) || !at.has(receiver)) continue;
    const side = at.get(receiver) > at.get(sender) ? 1 : -1;
    const [top, bottom] = [y(rowOf(start)), y(rowOf(end))];
    for (const x of [at.get(sender) + side * 13, at.get(receiver) - side * 13]) {
      cutMark(pen, x, Math.max(top, -20), Math.min(bottom, canvas.height));
      target("cut", `${sender}→${receiver} is cut, steps ${start} to ${end}`, { box: [x - 4, top, 8, bottom - top] });
    }
  }
}

function drawMessages({ pen, at, y, from, to }) {
  let drawn = 0;
  const chosen = run.events[shown.step]?.message ?? -1;
  for (let id = 0; id < run.messages.length; id++) {
    if (id % STRIDE === 0 && lastEnds[id / STRIDE] < from) {
      id += STRIDE - 1;
      continue;
    }
    const message = run.messages[id];
    if (message.sent > to) break;
    const end = endOf(message);
    const isDim = cameToNothing(message);
    if (end < from || message.from === message.to || !passesMessage(message) || !showsPast(isDim)) continue;
    const isChosen = id === chosen || message.sent === shown.step;
    const line = [at.get(message.from), y(rowOf(message.sent)), at.get(message.to), y(rowOf(end))];
    const [x, y1] = messageMark(pen, message.fate, line, isChosen ? "front" : isDim ? "dim" : null);
    const mark = isChosen ? "chosen" : message.fate >= 2 ? "lost" : FATES[message.fate];
    const fate = message.fate === 0 ? "under way at the end" : `${FATES[message.fate]} at ${message.end}`;
    target(mark, `${message.text}\nsent at ${message.sent}, ${fate}`, { line: [line[0], line[1], x, y1] });
    drawn++;
  }
  return drawn;
}

function drawEvents({ pen, at, y, first, last }) {
  for (let row = first; row <= last; row++) {
    const step = shown.rows[row];
    const event = run.events[step];
    const isBroken = step === run.brokenAt;
    const node = event.message >= 0 ? run.messages[event.message]?.to : event.node;
    for (const marked of new Set(isBroken ? [node, ...DATA.involved] : [node])) {
      if (!at.has(marked)) continue;
      halo(pen, at.get(marked), y(row));
      if (isBroken) brokenMark(pen, at.get(marked), y(row)); else eventMark(pen, event.class, at.get(marked), y(row), isOutside(step));
      const text = event.text + (isBroken ? `\n${DATA.broken}` : isOutside(step) ? "\ncannot have influenced the failure" : "");
      target(isBroken ? "broken" : event.class, `step ${step}: ${text}`, { box: [at.get(marked) - 6, y(row) - 6, 12, 12] });
    }
  }
}

function drawHead() {
  const lane = laneWidth();
  const names = lanes().map((node, position) => {
    const made = element("b", { textContent: lane < 60 ? node : `node ${node}`, title: `node ${node}` });
    Object.assign(made.style, { left: `${LEFT + lane * position}px`, width: `${lane}px` });
    return made;
  });
  const text = element("b", { textContent: " step  event" });
  text.style.left = listLeft() + "px";
  get("head").replaceChildren(...names, text);
}

// After the rows or the window have changed.
function resize() {
  get("run").style.height = Math.max(TOP + shown.rows.length * ROW + 12, scroll.clientHeight) + "px";
  get("list").style.left = listLeft() + "px";
  drawHead();
  reveal(shown.step);
  draw();
  drawOverview();
  drawOperations();
}

function reveal(step) {
  const top = rowOf(step) * ROW;
  const height = scroll.clientHeight - TOP;
  if (top < scroll.scrollTop || top > scroll.scrollTop + height - ROW) scroll.scrollTop = top - height / 2;
}
