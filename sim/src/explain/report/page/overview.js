// The whole run in a strip along the slider: who leads, terms, faults, failures, the curve of how certain a failure was.
// It is clicked and zoomed; the axis under it counts steps, and the ticks of the clock that ran most.
"use strict";

const overview = get("overview");
const EDGE = 8, AXIS = 30, CURVE = 30, STRIP = 7;
const zoom = { from: 0, to: LAST };
let overviewTargets = [];

const spread = () => Math.max(1, zoom.to - zoom.from);
const xOf = (step) => EDGE + ((step - zoom.from) / spread()) * (overview.clientWidth - 2 * EDGE);
const stepAt = (x) => Math.round(zoom.from + ((x - EDGE) / (overview.clientWidth - 2 * EDGE)) * spread());

const faults = run.events.flatMap((event, step) => event.class === "faults" ? [step] : []);
// The steps at which a higher term than all before appears.
const newTerms = [];
for (const [step, , changes] of DATA.changes) {
  if ((changes.term ?? 0) > (newTerms.at(-1)?.term ?? 0)) newTerms.push({ step, term: changes.term });
}

const curveHeight = () => (DATA.why ? CURVE : 0);
const overviewHeight = () => curveHeight() + DATA.nodes.length * (STRIP + 2) + 14 + AXIS;

function overviewTarget(mark, text, box) {
  drawnMarks.add(mark);
  overviewTargets.push({ mark, text, box });
}

function drawOverview() {
  const width = overview.parentElement.clientWidth - 2 * parseFloat(getComputedStyle(overview.parentElement).paddingLeft);
  overview.style.width = width + "px";
  const pen = prepare(overview, width, overviewHeight());
  overviewTargets = [];
  const bottom = overviewHeight() - AXIS;
  drawWindow(pen, bottom);
  drawTerms(pen, bottom);
  drawRoles(pen);
  drawFaults(pen, bottom);
  if (DATA.why) drawCurve(pen);
  drawFailure(pen, bottom);
  drawAxis(pen, bottom, xOf, width);
  ink(pen, "front");
  pen.fillRect(xOf(shown.step) - 1, 0, 2, bottom);
  overview.dataset.zoom = `${zoom.from}-${zoom.to}`;
}

function drawWindow(pen, bottom) {
  const [first, last] = visibleRows();
  if (last < first) return;
  const [left, right] = [xOf(shown.rows[first]), xOf(shown.rows[last])];
  pen.fillStyle = palette.select;
  pen.fillRect(left, 0, Math.max(3, right - left), bottom);
  ink(pen, "front");
  pen.strokeRect(left + 0.5, 0.5, Math.max(3, right - left), bottom - 1);
  drawnMarks.add("window");
}

// A strip a node, as high as it is important who leads.
function drawRoles(pen) {
  DATA.nodes.forEach((node, position) => {
    const top = curveHeight() + 14 + position * (STRIP + 2);
    pen.font = `600 8px ${FONT}`;
    ink(pen, "muted");
    pen.textAlign = "left";
    pen.fillText(node, 0, top + STRIP);
    const height = { follower: 1, "pre-candidate": 3, candidate: 5, leader: STRIP, down: 1 };
    for (const { role, term, start, end } of roles.get(node)) {
      if (end < zoom.from || start > zoom.to) continue;
      const [left, right] = [Math.max(EDGE, xOf(start)), Math.max(xOf(start) + 1, xOf(end))];
      pen.fillStyle = pen.strokeStyle = palette[role];
      const middle = top + STRIP / 2;
      if (role === "down") dashed(pen, [2, 3], () => segment(pen, left, middle, right, middle));
      else pen.fillRect(left, middle - height[role] / 2, right - left, height[role]);
      if (role !== "follower") overviewTarget(role, `node ${node}: ${role}, term ${term}, steps ${start} to ${end - 1}`, [left, top, right - left, STRIP]);
    }
  });
}

function drawTerms(pen, bottom) {
  pen.font = `10px ${FONT}`;
  pen.textAlign = "left";
  let free = -Infinity;
  let drawn = -Infinity;
  for (const { step, term } of newTerms) {
    const x = xOf(step);
    if (step < zoom.from || step > zoom.to || x - drawn < 2) continue;
    drawn = x;
    ink(pen, "line");
    segment(pen, Math.round(x) + 0.5, curveHeight(), Math.round(x) + 0.5, bottom);
    overviewTarget("term", `term ${term} begins at step ${step}`, [x - 2, curveHeight(), 4, 13]);
    if (x < free) continue;
    ink(pen, "muted");
    pen.fillText("t" + term, x + 2, curveHeight() + 10);
    free = x + pen.measureText("t" + term).width + 8;
  }
}

function drawFaults(pen, bottom) {
  ink(pen, "lost");
  let drawn = -Infinity;
  for (let i = lowerBound(faults, zoom.from); i < faults.length && faults[i] <= zoom.to; i++) {
    const x = xOf(faults[i]);
    if (x - drawn < 2) continue;
    drawn = x;
    pen.fillRect(x - 0.75, bottom - 7, 1.5, 7);
    overviewTarget("fault", `step ${faults[i]}: ${run.events[faults[i]].text}`, [x - 2, bottom - 8, 4, 8]);
  }
}

function drawFailure(pen, bottom) {
  if (run.brokenAt < 0) return;
  ink(pen, "broken");
  const x = xOf(run.brokenAt);
  pen.fillRect(x - 1.5, 0, 3, bottom);
  overviewTarget("failure", `step ${run.brokenAt}: ${DATA.broken}`, [x - 4, 0, 8, bottom]);
}

// `why`: points of (step, share in thousandths), and the steps at which it jumps, with words.
function drawCurve(pen) {
  const y = (share) => 2 + (1 - share / 1000) * (CURVE - 6);
  ink(pen, "line");
  for (const share of [0, 1000]) segment(pen, EDGE, y(share), overview.clientWidth - EDGE, y(share));
  ink(pen, "broken");
  pen.lineWidth = 2;
  pen.beginPath();
  DATA.why.points.forEach(([step, share], position) => position ? pen.lineTo(xOf(step), y(share)) : pen.moveTo(xOf(step), y(share)));
  pen.stroke();
  pen.lineWidth = 1;
  for (const [step, share] of DATA.why.points) overviewTarget("curve", `after step ${step}, ${share / 10} % of continuations fail`, [xOf(step) - 3, 0, 6, CURVE - 8]);
  for (const [step, text] of DATA.why.jumps) {
    const x = xOf(step);
    polygon(pen, [[x, CURVE - 9], [x - 5, CURVE], [x + 5, CURVE]]);
    overviewTarget("jump", `step ${step}: ${text}`, [x - 6, CURVE - 10, 12, 11]);
  }
}

// Round numbers, at least so many pixels apart.
function axisSteps(width) {
  const least = (spread() * 70) / Math.max(1, width - 2 * EDGE);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  const every = [1, 2, 5, 10].map((factor) => factor * power).find((every) => every >= least);
  const steps = [];
  for (let step = Math.ceil(zoom.from / every) * every; step <= zoom.to; step += every) steps.push(step);
  return steps;
}

function drawAxis(pen, top, x, width) {
  ink(pen, "muted");
  segment(pen, EDGE, top + 0.5, width - EDGE, top + 0.5);
  pen.font = `10px ${FONT}`;
  const steps = axisSteps(width);
  for (const step of steps) {
    segment(pen, Math.round(x(step)) + 0.5, top, Math.round(x(step)) + 0.5, top + 4);
    pen.textAlign = x(step) < 30 ? "left" : x(step) > width - 40 ? "right" : "center";
    pen.fillText(step === steps[0] ? `step ${step}` : step, x(step), top + 14);
    pen.fillText(step === steps[0] ? `tick ${ticks[step] ?? 0}` : ticks[step] ?? "", x(step), top + 26);
  }
  overview.dataset.axis = steps.join(" ");
}

function zoomTo(from, to) {
  const width = Math.max(Math.min(10, LAST), Math.min(LAST, Math.round(to - from)));
  zoom.from = Math.max(0, Math.min(LAST - width, Math.round(from)));
  zoom.to = zoom.from + width;
  [get("slider").min, get("slider").max, get("slider").value] = [zoom.from, zoom.to, shown.step];
  drawOverview();
  drawOperations();
}

// Makes the stretch so many times as long, around a step.
function zoomBy(factor, around = shown.step) {
  zoomTo(around - (around - zoom.from) * factor, around + (zoom.to - around) * factor);
}

// The selected step stays in sight.
function pan() {
  if (shown.step >= zoom.from && shown.step <= zoom.to) return;
  const from = shown.step - spread() / 2;
  zoomTo(from, from + spread());
}

// A click selects a step, a drag zooms to what it covers, the wheel zooms, a double click shows everything.
function overviewEvents(place) {
  let start = null;
  const at = (event) => event.clientX - place.getBoundingClientRect().left;
  place.addEventListener("pointerdown", (down) => { start = at(down); });
  place.addEventListener("pointerup", (up) => {
    if (start === null) return;
    const [left, right] = [Math.min(start, at(up)), Math.max(start, at(up))];
    start = null;
    if (right - left > 6) zoomTo(stepAt(left), stepAt(right)); else select(stepAt(right));
  });
  place.addEventListener("wheel", (wheel) => {
    wheel.preventDefault();
    zoomBy(wheel.deltaY > 0 ? 1.25 : 0.8, stepAt(at(wheel)));
  }, { passive: false });
  place.addEventListener("dblclick", () => zoomTo(0, LAST));
}
