// The keyboard: what each key does, and what it says of that under the legend.
"use strict";

const page = () => Math.max(1, Math.floor((scroll.clientHeight - TOP) / ROW) - 1);

const KEYS = [
  { keys: ["ArrowDown", "ArrowRight", "j"], says: "↓ → j: next step", act: () => step(1) },
  { keys: ["ArrowUp", "ArrowLeft", "k"], says: "↑ ← k: previous step", act: () => step(-1) },
  { keys: ["PageDown", " "], says: "Page down, space: a page on", act: () => step(page()) },
  { keys: ["PageUp"], says: "Page up: a page back", act: () => step(-page()) },
  { keys: ["Home"], says: "Home: first step", act: () => step(-Infinity) },
  { keys: ["End"], says: "End: last step", act: () => step(Infinity) },
  { keys: ["n"], says: "n: next change of role, term or commit", act: () => turn(1) },
  { keys: ["p"], says: "p: the one before", act: () => turn(-1) },
  { keys: ["/"], says: "/: find; Enter and Shift+Enter: next and previous found", act: () => get("find").focus() },
  { keys: ["+"], says: "+ −: zoom above", act: () => zoomBy(0.5) },
  { keys: ["-"], says: "", act: () => zoomBy(2) },
  { keys: ["0"], says: "0: the whole run above", act: () => zoomTo(0, LAST) },
];

// By so many rows among those that are shown.
function step(by) {
  if (shown.rows.length === 0) return;
  select(shown.rows[Math.max(0, Math.min(shown.rows.length - 1, rowOf(shown.step) + by))]);
}

// To the next step at which a role, a term or a commit index changes, whether or not filters show it.
function turn(by) {
  const at = lowerBound(turns, by > 0 ? shown.step + 1 : shown.step) - (by > 0 ? 0 : 1);
  if (turns[at] !== undefined) select(turns[at]);
}

function startKeys() {
  get("keys").textContent = KEYS.map((key) => key.says).filter(Boolean).join(" · ");
  document.addEventListener("keydown", (pressed) => {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    const tag = pressed.target.tagName;
    if (tag === "SELECT" || (tag === "INPUT" && pressed.target.type !== "range" && pressed.target.type !== "checkbox")) return;
    if (pressed.key === " " && (tag === "BUTTON" || tag === "INPUT" || tag === "SUMMARY")) return;
    const known = KEYS.find((key) => key.keys.includes(pressed.key));
    if (!known) return;
    pressed.preventDefault();
    known.act();
  });
}
