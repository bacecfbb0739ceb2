// A run that does not fail: nothing is dimmed, and no filter speaks of a past.
const inks = [];
const usual = ink;
ink = (pen, name) => { inks.push(name); usual(pen, name); };
slide(200);
seen.marked = !get("list").textContent.includes("·");
seen.dimmed = inks.length > 50 && !inks.includes("dim") && CSS.highlights.get("rest").size === 0;
seen.filter = filterOf("past") === null && asked("#step=1&hide=rest").hidden.size === 0;
