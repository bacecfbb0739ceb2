// What clients asked and were told: a row a client, a bar an operation, from its question to its answer, on the axis of the overview.
"use strict";

const operationCanvas = get("operations");
const BAR = 18;
let operationTargets = [];
const clientNumbers = [...new Set(run.operations.map((operation) => operation.client))].sort((a, b) => a - b);
const refutedNumbers = new Set(DATA.refuted.flatMap((one) => one.refuted));
// The place of an operation in the order that explains it, for each refuted key.
const places = new Map(DATA.refuted.flatMap(({ order }) => order.map((number, place) => [number, place + 1])));

const counted = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
const keyName = (key) => key < 0 ? "no key" : `k${key}`;
const shownKey = () => get("key").value === "" ? null : Number(get("key").value);
const isOnKey = (operation) => shownKey() === null || operation.key === shownKey();

function operationText(operation, number) {
  const { text, invoked, ended, answer } = operation;
  const end = answer !== null ? `${answer}, steps ${invoked} to ${ended}` : ended >= 0 ? `given up, steps ${invoked} to ${ended}` : `unanswered from step ${invoked} on`;
  const place = refutedNumbers.has(number) ? "\nno order explains this answer" : places.has(number) ? `\nnumber ${places.get(number)} of the order` : "";
  return `${text}: ${end}${place}`;
}

function drawOperations() {
  if (get("clients").hidden || !get("clients").open) return;
  const width = overview.clientWidth;
  const pen = prepare(operationCanvas, width, clientNumbers.length * BAR + AXIS);
  operationTargets = [];
  for (const { key, until } of DATA.refuted) if (shownKey() === null || key === shownKey() || key === null) drawPrefix(pen, until);
  let drawn = 0;
  run.operations.forEach((operation, number) => {
    const end = operation.answer === null ? zoom.to : operation.ended;
    if (end < zoom.from || operation.invoked > zoom.to || !isOnKey(operation)) return;
    drawOperation(pen, operation, number);
    drawn++;
  });
  drawAxis(pen, clientNumbers.length * BAR, xOf, width);
  ink(pen, "front");
  pen.fillRect(xOf(shown.step) - 1, 0, 2, clientNumbers.length * BAR);
  operationCanvas.dataset.bars = drawn;
}

function drawPrefix(pen, until) {
  prefixMark(pen, 0, xOf(until) - 2, clientNumbers.length * BAR);
  drawnMarks.add("prefix");
}

function drawOperation(pen, operation, number) {
  const row = clientNumbers.indexOf(operation.client);
  const end = operation.ended >= 0 ? operation.ended : LAST;
  const [left, isOpen, isRefuted] = [xOf(operation.invoked), operation.answer === null, refutedNumbers.has(number)];
  const box = [left, row * BAR + 2, Math.max(4, xOf(end) - left), BAR - 4];
  const isRead = / (read|query) /.test(operation.text);
  operationMark(pen, box, { isOpen, isRefuted, isRead });
  const mark = isRefuted ? "refuted" : isOpen ? "unanswered" : isRead ? "read" : "operation";
  drawnMarks.add(mark);
  operationTargets.push({ mark, text: operationText(operation, number), box, step: isOpen ? operation.invoked : operation.ended });
  const place = places.has(number) ? `#${places.get(number)} ` : "";
  const text = (isRefuted ? "✖ " : place) + operation.text + (isOpen ? "" : `: ${operation.answer}`);
  pen.save();
  pen.beginPath();
  pen.rect(...box);
  pen.clip();
  pen.fillStyle = palette[isRefuted ? "broken" : "front"];
  pen.font = `11px ${FONT}`;
  pen.textAlign = "left";
  pen.fillText(text, Math.max(left, 0) + 4, row * BAR + 13);
  pen.restore();
}

// In words, for every key whose answers no order explains.
function refutedWords({ key, until, order, refuted }) {
  const name = (number) => run.operations[number].text;
  const what = key === null ? "the operations" : `the operations on ${keyName(key)}`;
  const answers = refuted.map((number) => operationText(run.operations[number], number).split("\n")[0]).join("; ");
  const prefix = order.length ? `, in the order ${order.map((number, place) => `#${place + 1} ${name(number)}`).join(" · ")}` : "";
  return `The longest prefix of ${what} that can be explained ends before step ${until}${prefix}. Not explained: ${answers}.`;
}

function startClients() {
  if (run.operations.length === 0) return;
  get("clients").hidden = false;
  get("clients").querySelector("summary").textContent = `Clients: ${counted(run.operations.length, "operation")} of ${counted(clientNumbers.length, "client")}`;
  const keys = [...new Set(run.operations.map((operation) => operation.key))].sort((a, b) => a - b);
  get("key").append(element("option", { value: "", textContent: "all keys" }), ...keys.map((key) => element("option", { value: String(key), textContent: keyName(key) })));
  get("key").addEventListener("change", drawOperations);
  get("refuted").replaceChildren(...DATA.refuted.map((one) => element("p", { textContent: refutedWords(one) })));
  if (DATA.refuted.length) {
    get("clients").open = true;
    get("key").value = String(DATA.refuted[0].key ?? "");
  }
  get("clients").addEventListener("toggle", drawOperations);
  operationCanvas.addEventListener("click", (click) => {
    const found = hovered(operationTargets, click.offsetX, click.offsetY);
    select(found ? found.step : stepAt(click.offsetX));
  });
  watch(operationCanvas, (x, y) => hovered(operationTargets, x, y)?.text);
}
