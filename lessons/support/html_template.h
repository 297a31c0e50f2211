// The page around the data of html_page.cc. %TITLE% and %DATA% are replaced.
//
// Each change of the shown part of the time draws the lanes again. Stretches too short to be seen
// are drawn together: the height of such a block is the share of its time in which one of them ran.
// So a lane with a fiber that runs rarely is low, and a recording with a hundred thousand stretches
// stays quick.
#pragma once

namespace lesson {

inline constexpr char html_template[] = R"HTML(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>%TITLE%</title>
<style>
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --lane: #eee; --soft: #777; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #191919; --lane: #2a2a2a; --soft: #999; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 90em;
  margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.3em; } h2 { font-size: 1.05em; margin: .5em 0; } h3 { font-size: 1em; color: var(--soft); font-weight: normal; }
.soft { color: var(--soft); }
#runs { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 1.5em; }
svg { width: 100%; display: block; cursor: crosshair; user-select: none; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .lane { fill: var(--lane); } svg .tick { stroke: var(--soft); stroke-opacity: .35; }
svg .several { fill: var(--ink); } svg .shared { fill-opacity: .55; } svg .life { fill: var(--soft); } svg text.in { fill: #111; pointer-events: none; }
#legend { margin-left: 1em; } #legend span { margin-right: 1.5em; white-space: nowrap; } #legend i { display: inline-block;
  width: .9em; height: .9em; border-radius: 2px; margin-right: .4em; vertical-align: -1px; }
#detail { min-height: 3.2em; border-left: 3px solid var(--lane); padding-left: .8em; white-space: pre-wrap; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 0 1.5em 0 0; font-weight: normal; }
th { color: var(--soft); } td.n { text-align: right; }
pre { background: var(--lane); padding: .8em; max-height: 24em; overflow: auto; white-space: pre-wrap; }
pre.lines span { border-left: 4px solid; padding-left: .5em; display: block; }
</style></head><body>
<h1>%TITLE%</h1>
<div id="runs"></div>
<p><button id="kind">show a lane per fiber</button> <span id="legend"></span></p>
<p id="detail" class="soft">Move the mouse over a lane for details. Wheel: zoom. Drag: move. Double click: show all. Click: put the moment in the address.</p>
<div id="more"></div>
<script>
const runs = [
%DATA%];
const colours = ["#4fb3d9", "#e8b84a", "#6cc06c", "#c98bdb", "#7d9cf0", "#e87f7f", "#9ccfb8", "#d9a27f", "#b8b84f", "#dd8fb0"];
const no_p_colour = "#d33";
const gap = 8, most = 60, by_id = id => document.getElementById(id);
const names = [], colour_of = {main: "#a8a8a8"};
for (const r of runs) {
  for (const n of r.names) if (!names.includes(n)) names.push(n);
  r.stretches = [];
  for (let i = 0, at = 0; i + 5 < r.packed.length; i += 6) {
    const [fiber, name, p, m, later, long] = r.packed.slice(i, i + 6);
    at += later;
    r.stretches.push([fiber, r.names[name], p, m < 0 ? -1 - m : m, at / 1e3, (at + long) / 1e3, m < 0]);
  }
  for (const w of r.prints) w[1] = r.names[w[1]];
}
names.filter(n => n != "main").forEach((n, i) => colour_of[n] = colours[i % colours.length]);
const end = Math.max(1, ...runs.map(r => r.stretches.reduce((last, s) => Math.max(last, s[5]), 0)));
const time = us => us < 1e3 ? us.toFixed(2) + " us" : us < 1e6 ? (us / 1e3).toFixed(2) + " ms" : (us / 1e6).toFixed(3) + " s";
const p_name = p => p < 0 ? "no P" : "P" + p;
let per_p = true, from = 0, to = end, chosen = null;
function element(kind, inside, to) {
  const e = document.createElement(kind);
  if (inside !== undefined) e.textContent = inside;
  if (to) to.append(e);
  return e;
}
// Lanes of two kinds: what each P ran, and when each fiber ran.
function lanes_of(r) {
  const by_p = [], by_fiber = new Map();
  const p_count = r.stretches.reduce((n, s) => Math.max(n, s[2] + 1), r.procs);
  for (let p = 0; p < p_count; ++p) by_p.push({label: "P" + p, all: [], inside: s => s[1], colour: s => colour_of[s[1]]});
  const no_p = {label: "no P", all: [], inside: s => s[1], colour: s => colour_of[s[1]]};  // computes without a P
  for (const s of r.stretches) {
    (s[2] >= 0 ? by_p[s[2]] : no_p).all.push(s);
    if (!by_fiber.has(s[0])) by_fiber.set(s[0], {label: s[1] + (s[0] == 1 ? "" : " " + s[0]), number: s[0], all: [],
      inside: s => p_name(s[2]), colour: s => s[2] < 0 ? no_p_colour : colours[s[2] % colours.length]});
    by_fiber.get(s[0]).all.push(s);
  }
  r.per_p = by_p.filter((l, p) => p < 8 || l.all.length);
  if (no_p.all.length) r.per_p.push(no_p);
  r.per_fiber = [...by_fiber.values()].sort((a, b) => a.number - b.number).slice(0, most);
}
const lanes = r => per_p ? r.per_p : r.per_fiber;
// The picture of one run.
function picture(r, svg) {
  let left, high;
  function add(kind, at, inside) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const k in at) e.setAttribute(k, at[k]);
    if (inside !== undefined) e.textContent = inside;
    return svg.appendChild(e);
  }
  function ticks(wide) {
    let step = 0.001;
    for (let i = 0; step / (to - from) * wide < 90; ++i) step *= [2, 2.5, 2][i % 3];
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const x = left + (t - from) / (to - from) * wide, y = lanes(r).length * (high + gap);
      add("line", {class: "tick", x1: x, x2: x, y1: 0, y2: y});
      if (x < left + wide - 50) add("text", {x: x + 3, y: y + 12}, t == 0 ? "0" : +(t < 1e3 ? t : t / 1e3).toPrecision(6) + (t < 1e3 ? " us" : " ms"));
    }
  }
  function draw_lane(lane, y, wide) {
    const scale = wide / (to - from);
    add("text", {x: 4, y: y + high / 2 + 4}, lane.label);
    add("rect", {class: "lane", x: left, y, width: wide, height: high, rx: 3});
    if (!per_p && lane.all.length) {  // from its first to its last stretch the fiber exists: it waits between them
      const x = left + (Math.max(lane.all[0][4], from) - from) * scale, x2 = left + (Math.min(lane.all.at(-1)[5], to) - from) * scale;
      if (x2 > x) add("rect", {class: "life", x, y: y + high / 2 - 1, width: x2 - x, height: 2});
    }
    let pack = null;  // stretches too short to be seen
    const flush = () => { if (!pack) return;
      const w = Math.max(1, pack.end - pack.x), h = Math.max(2, high * Math.min(1, pack.busy / w)), at = {x: pack.x, y: y + high - h, width: w, height: h};
      add("rect", pack.colour ? {...at, class: "pack", fill: pack.colour} : {...at, class: "pack several"});
      pack = null; };
    for (const s of lane.all) {
      if (s[5] < from || s[4] > to) continue;
      const x = left + (Math.max(s[4], from) - from) * scale, x2 = left + (Math.min(s[5], to) - from) * scale;
      if (x2 - x < 1) {
        if (pack && (x - pack.end > 4 || x2 - pack.x > 6)) flush();
        if (!pack) pack = {x, end: x2, busy: 0, colour: lane.colour(s)};
        if (pack.colour != lane.colour(s)) pack.colour = "";
        pack.end = x2;
        pack.busy += x2 - x;
        continue;
      }
      flush();
      add("rect", {class: s[6] ? "stretch shared" : "stretch", "data-fiber": s[0], x, y, width: x2 - x, height: high, rx: 2, fill: lane.colour(s)});
      const inside = lane.inside(s);
      if (x2 - x > inside.length * 7 + 8) add("text", {class: "in", x: x + 5, y: y + high / 2 + 4}, inside);
    }
    flush();
  }
  function draw() {
    const mine = lanes(r);
    left = per_p ? 40 : 20 + 7 * mine.reduce((n, l) => Math.max(n, l.label.length), 0);
    high = mine.length > 12 ? 14 : 34;
    const wide = (svg.clientWidth || 900) - left - 4;
    svg.replaceChildren();
    svg.setAttribute("height", mine.length * (high + gap) + 18);
    ticks(wide);
    mine.forEach((lane, row) => draw_lane(lane, row * (high + gap), wide));
    if (chosen != null) { const x = left + (chosen - from) * wide / (to - from);
      add("line", {x1: x, x2: x, y1: 0, y2: mine.length * (high + gap), stroke: "currentColor"}); }
  }
  function explain(lane, t) {
    if (!lane) return;
    const s = lane.all.find(s => s[4] <= t && t <= s[5]), detail = by_id("detail");
    detail.className = "";
    detail.textContent = (runs.length > 1 ? r.title + ", " : "") + `${lane.label} at ${time(t)}: ` + (!s ? per_p ? "idle" : "waits" :
      `${s[1]}, fiber ${s[0]}, on ${p_name(s[2])} and thread M${s[3]}, from ${time(s[4])} to ${time(s[5])}: ${time(s[5] - s[4])}` +
      (s[6] ? ", on a shared CPU\n" : "\n") +
      r.prints.filter(w => w[0] == s[0] && w[3] >= s[4] && w[3] <= s[5]).slice(0, 12).map(w => w[2]).join(""));
  }
  const place = e => { const b = svg.getBoundingClientRect(), mine = lanes(r);
    return [mine[Math.max(0, Math.min(mine.length - 1, Math.floor((e.clientY - b.top) / (high + gap))))],
            Math.min(to, Math.max(from, from + (e.clientX - b.left - left) / (b.width - left - 4) * (to - from)))]; };
  let drag = null;
  svg.onmousemove = e => { if (drag && e.buttons) { const by = drag[1] - place(e)[1]; move(from + by, to + by); } else explain(...place(e)); };
  svg.onmousedown = e => drag = place(e);
  addEventListener("mouseup", () => drag = null);
  svg.onclick = e => { const [lane, t] = place(e); location.hash = `${encodeURIComponent(lane.label)},${t.toFixed(3)}`; };
  svg.ondblclick = () => move(0, end);
  svg.addEventListener("wheel", e => { e.preventDefault(); const t = place(e)[1], f = e.deltaY > 0 ? 1.25 : 0.8;
    move(t - (t - from) * f, t + (to - t) * f); }, {passive: false});
  r.draw = draw;
  r.explain = explain;
}
const draw = () => runs.forEach(r => r.draw());
function move(a, b) { if (b - a > end) [a, b] = [0, end]; if (a < 0) [a, b] = [0, b - a]; if (b > end) [a, b] = [a - b + end, end];
  if (b - a > 0.01) { from = Math.max(0, a); to = b; draw(); } }
function choose(by_p) { per_p = by_p; by_id("kind").textContent = per_p ? "show a lane per fiber" : "show a lane per P"; legend(); draw(); }
function legend() {
  const ps = [...new Set(runs.flatMap(r => r.per_p.map(l => l.label)))];
  const items = per_p ? names.map(n => [n, colour_of[n]]) : ps.map(p => [p, p == "no P" ? no_p_colour : colours[p.slice(1) % colours.length]]);
  const shared = runs.some(r => r.stretches.some(s => s[6])) ? [["on a shared CPU", "var(--soft)", .55]] : [];
  by_id("legend").replaceChildren(...[...items, ["several in turn", "var(--ink)"], ...shared].map(([name, colour, opacity]) => {
    const item = document.createElement("span"), box = document.createElement("i");
    box.style.background = colour;
    box.style.opacity = opacity ?? 1;
    item.append(box, name);
    return item; }));
}
by_id("kind").onclick = () => choose(!per_p);
function from_address() {
  const m = location.hash.match(/^#(.+),([\d.]+)$/);
  if (!m) return;
  const wanted = decodeURIComponent(m[1]), found = l => l.label == wanted;
  choose(runs[0].per_p.some(found));
  chosen = +m[2];
  runs[0].explain(lanes(runs[0]).find(found), chosen);
  draw();
}
onhashchange = from_address;
onresize = draw;
function table(r, to) {
  const who = element("table", undefined, to), fibers_of = n => new Set(r.stretches.filter(s => s[1] == n).map(s => s[0])).size;
  who.innerHTML = "<tr><th>who</th><th>fibers</th><th>stretches</th><th>running</th><th>Ps</th></tr>";
  for (const n of r.names) {
    const mine = r.stretches.filter(s => s[1] == n), row = who.insertRow();
    [n, fibers_of(n), mine.length, time(mine.reduce((sum, s) => sum + s[5] - s[4], 0)), [...new Set(mine.map(s => p_name(s[2])))].sort().join(" ")]
      .forEach((text, i) => { const c = row.insertCell(); c.textContent = text; if (i > 0 && i < 4) c.className = "n"; });
  }
}
// Tokens without a line's end stay in one line, as on the screen.
function output(r, to) {
  element("h3", "What was printed", to);
  const pre = element("pre", undefined, to), tokens = r.prints.some(w => !w[2].endsWith("\n"));
  pre.className = tokens ? "tokens" : "lines";
  for (const w of r.prints) {
    const one = element("span", tokens ? w[2] : w[2].replace(/\n$/, ""), pre);
    one.style[tokens ? "color" : "borderColor"] = colour_of[w[1]];
    one.title = `${w[1]}, fiber ${w[0]}, at ${time(w[3])}`;
  }
}
for (const r of runs) {
  const column = element("div", undefined, by_id("runs"));
  if (runs.length > 1) element("h2", r.title, column);
  element("p", r.verdict + " ", column).append(Object.assign(element("span", r.figures), {className: "soft"}));
  const svg = column.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  if (r == runs[0]) svg.id = "lanes";
  const below = runs.length > 1 ? column : by_id("more");
  lanes_of(r);
  picture(r, svg);
  table(r, below);
  output(r, below);
}
choose(true);
from_address();
</script></body></html>
)HTML";

}  // namespace lesson
