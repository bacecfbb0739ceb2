// Puts everything together, and selects the step of the link, or the one that broke.
"use strict";

function select(step, isFromLink = false) {
  const touched = moveTo(step);
  if (touched.length) {
    refill(touched);
    get("run").style.height = Math.max(TOP + shown.rows.length * ROW + 12, scroll.clientHeight) + "px";
    drawFilters();
  }
  pan();
  get("slider").value = shown.step;
  get("step").textContent = `step ${shown.step} of ${LAST} · tick ${ticks[shown.step] ?? 0}`;
  get("link").href = link();
  if (!isFromLink) readdress();
  reveal(shown.step);
  draw();
  drawOverview();
  drawOperations();
  drawFound();
  drawPanel();
}

// The address follows the selection, a moment later: browsers stop listening to a page that changes it hundreds of times.
let addressing = 0;
function readdress() {
  clearTimeout(addressing);
  addressing = setTimeout(() => history.replaceState(null, "", link()), 150);
}

function follow() {
  clearTimeout(addressing);
  const { step, hidden } = asked(location.hash);
  const differs = hidden.size !== shown.hidden.size || [...hidden].some((name) => !shown.hidden.has(name));
  const asks = step ?? (run.brokenAt >= 0 ? run.brokenAt : 0);
  if (differs || blocks.length === 0) {
    [shown.hidden, shown.step] = [hidden, Math.min(asks, LAST)];
    filter();
    fillList();
    drawFilters();
    resize();
  }
  select(asks, true);
}

function startTitle() {
  const { seed, note, bug, recorder } = DATA.header;
  const about = [note, seed && `seed ${seed}`, bug && `planted bug ${bug}`, `${run.steps} events`, `recorded by version ${recorder}`];
  get("title").append("Raft run", element("small", {}, about.filter(Boolean).join(" · ")));
  document.title = "Raft run" + (seed ? ` of seed ${seed}` : "");
  get("broken").hidden = !DATA.broken;
  get("broken").textContent = "✖ " + DATA.broken;
  get("recorded").hidden = !DATA.recorded;
  get("recorded").textContent = "It was recorded with another end: " + DATA.recorded;
}

function drawLegend() {
  const entries = LEGEND.map(({ name, says, draw }) => {
    const picture = element("canvas", { ariaHidden: "true" });
    draw(prepare(picture, 32, 18));
    const made = element("li", {}, picture, says);
    made.dataset.mark = name;
    return made;
  });
  get("legend").replaceChildren(...entries);
}

function startButtons() {
  const clicks = {
    first: () => select(0), previous: () => step(-1), next: () => step(1), last: () => select(LAST),
    earlier: () => turn(-1), later: () => turn(1), in: () => zoomBy(0.5), out: () => zoomBy(2), whole: () => zoomTo(0, LAST),
    broken: () => select(run.brokenAt),
  };
  for (const [id, act] of Object.entries(clicks)) get(id).addEventListener("click", act);
  get("slider").max = LAST;
  get("slider").addEventListener("input", () => select(Number(get("slider").value)));
}

function startDiagram() {
  const place = get("run");
  const inCanvas = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  place.addEventListener("click", (click) => {
    const row = Math.floor((inCanvas(click)[1] + scroll.scrollTop) / ROW);
    if (getSelection().isCollapsed && row >= 0 && row < shown.rows.length) select(shown.rows[row]);
  });
  place.addEventListener("pointermove", (move) => tell(textAt(...inCanvas(move)), move.clientX, move.clientY));
  place.addEventListener("pointerleave", () => tell(null));
  scroll.addEventListener("scroll", () => requestAnimationFrame(() => { draw(); drawOverview(); }));
  overviewEvents(overview);
  watch(overview, (x, y) => hovered(overviewTargets, x, y)?.text);
  new ResizeObserver(() => requestAnimationFrame(resize)).observe(scroll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readPalette(); drawLegend(); resize(); });
}

readPalette();
startTitle();
startButtons();
startFilters();
startSearch();
startKeys();
startClients();
drawLegend();
startDiagram();
follow();
window.addEventListener("hashchange", follow);
