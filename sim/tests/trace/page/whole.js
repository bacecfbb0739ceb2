seen.steps = run.steps;
seen.broken = get("broken").textContent;
seen.startedAt = shown.step;
slide(10);
seen.slid = { step: shown.step, text: get("step").textContent, hash: get("link").hash, ...look() };
seen.painted = painted(canvas);
slide(run.steps - 1);
seen.end = look();
seen.now = get("now").textContent;
seen.terms = [...document.querySelectorAll(".card")].map((card) => card.querySelector("p i")?.textContent);
get("previous").click();
seen.previous = shown.step;
press("node-1");
seen.withoutNode = look();
press("node-1");
if (DATA.cuts.length) {
  slide(DATA.cuts[0][2]);
  seen.cut = document.querySelector("#panel .cuts").textContent;
}
location.hash = "#step=5";
window.dispatchEvent(new Event("hashchange"));
seen.linked = shown.step;
seen.elements = document.querySelectorAll("*").length;
