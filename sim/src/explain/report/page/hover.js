// What stands under the pointer, in words: marks, and text that is cut.
"use strict";

function distance([x0, y0, x1, y1], x, y) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const part = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x0 + part * dx - x, y0 + part * dy - y);
}

const isInside = ([left, top, width, height], x, y) => x >= left && x <= left + width && y >= top && y <= top + height;

// Of what is drawn here, the mark that lies on top: dots over arrows, arrows over bars.
function hovered(among, x, y) {
  const near = among.filter(({ box, line }) => box ? isInside(box, x, y) : distance(line, x, y) < 4);
  return near.at(-1);
}

function isCut(step, width) {
  const pen = canvas.getContext("2d");
  pen.font = getComputedStyle(get("list")).font;
  return pen.measureText(lineOf(step)).width > width;
}

// The text for a place in the diagram, in pixels from its upper left corner.
function textAt(x, y) {
  const mark = hovered(targets, x, y);
  if (mark) return mark.text;
  const step = shown.rows[Math.floor((y + scroll.scrollTop) / ROW)];
  const width = scroll.clientWidth - listLeft();
  return step !== undefined && x > listLeft() && isCut(step, width) ? run.events[step].text : null;
}

function tell(text, x, y) {
  const tip = get("tip");
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = (y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18) + "px";
}

function watch(place, words) {
  place.addEventListener("pointermove", (move) => {
    const { left, top } = place.getBoundingClientRect();
    tell(words(move.clientX - left, move.clientY - top), move.clientX, move.clientY);
  });
  place.addEventListener("pointerleave", () => tell(null));
}
