// The page around the data of html_page.cc. %TITLE%, %VERDICT%, %FIGURES% and %DATA% are put in.
//
// The lanes are drawn anew for the part of the time that is shown, and stretches too short to be seen are
// drawn as one, so that a recording with a hundred thousand of them can still be moved about in.
#pragma once

namespace lesson {

inline constexpr char html_template[] = R"HTML(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>%TITLE%</title>
<style>
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --lane: #eee; --soft: #777; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #191919; --lane: #2a2a2a; --soft: #999; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 75em;
  margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.3em; } .soft { color: var(--soft); }
svg { width: 100%; display: block; cursor: crosshair; user-select: none; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .lane { fill: var(--lane); } svg .tick { stroke: var(--soft); stroke-opacity: .35; }
svg text.in { fill: #111; pointer-events: none; }
#legend { margin-left: 1em; } #legend span { margin-right: 1.5em; white-space: nowrap; cursor: pointer; } #legend i { display: inline-block;
  width: .9em; height: .9em; border-radius: 2px; margin-right: .4em; vertical-align: -1px; }
#detail { min-height: 3.2em; border-left: 3px solid var(--lane); padding-left: .8em; white-space: pre-wrap; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 0 1.5em 0 0; font-weight: normal; }
th { color: var(--soft); } td.n { text-align: right; }
pre { background: var(--lane); padding: .8em; max-height: 24em; overflow: auto; } pre span { border-left: 4px solid; padding-left: .5em; display: block; }
</style></head><body>
<h1>%TITLE%</h1>
<p>%VERDICT% <span class="soft">%FIGURES%</span></p>
<svg id="lanes" role="img" aria-label="which fiber ran on which P, over time"></svg>
<p><button id="kind">show a lane per fiber</button> <span id="legend"></span></p>
<p id="detail" class="soft">Move over a lane. Wheel: closer or farther. Drag: along. Double click: all. Click: keep the moment in the address.</p>
<table id="who"></table>
<h2 class="soft" style="font-size:1em">What was printed</h2>
<pre id="prints"></pre>
<script>
%DATA%
const colours = ["#4fb3d9", "#e8b84a", "#6cc06c", "#c98bdb", "#7d9cf0", "#e87f7f", "#9ccfb8", "#d9a27f", "#b8b84f", "#dd8fb0"];
const names = [...new Set(stretches.map(s => s[1]))], colour_of = {};
names.filter(n => n != "main").forEach((n, i) => colour_of[n] = colours[i % colours.length]);
colour_of.main = "#a8a8a8";
const end = Math.max(1, ...stretches.map(s => s[5]));
// Lanes of two kinds: what each P ran, and when each fiber ran.
const p_count = Math.max(procs, ...stretches.map(s => s[2] + 1)), most = 60;
const per_p = Array.from({length: p_count}, (_, p) => ({label: "P" + p, all: stretches.filter(s => s[2] == p),
  inside: s => s[1], colour: s => colour_of[s[1]]})).filter((l, p) => p < 8 || l.all.length);
const per_fiber = [...new Set(stretches.map(s => s[0]))].sort((a, b) => a - b).slice(0, most).map(f => {
  const all = stretches.filter(s => s[0] == f);
  return {label: all[0][1] + (f == 1 ? "" : " " + f), all, inside: s => "P" + s[2], colour: s => colours[s[2] % colours.length]}; });
let lanes = per_p, from = 0, to = end, chosen = null;
const svg = document.getElementById("lanes"), detail = document.getElementById("detail"), kind = document.getElementById("kind");
const gap = 8;
let left, high;
const time = us => us < 1e3 ? us.toFixed(2) + " us" : us < 1e6 ? (us / 1e3).toFixed(2) + " ms" : (us / 1e6).toFixed(3) + " s";
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
    const x = left + (t - from) / (to - from) * wide, y = lanes.length * (high + gap);
    add("line", {class: "tick", x1: x, x2: x, y1: 0, y2: y});
    if (x < left + wide - 50) add("text", {x: x + 3, y: y + 12}, t == 0 ? "0" : +(t < 1e3 ? t : t / 1e3).toPrecision(6) + (t < 1e3 ? " us" : " ms"));
  }
}
function draw_lane(lane, y, wide) {
  const scale = wide / (to - from);
  add("text", {x: 4, y: y + high / 2 + 4}, lane.label);
  add("rect", {class: "lane", x: left, y, width: wide, height: high, rx: 3});
  let pack = null;  // stretches too short to be seen
  const flush = () => { if (pack) add("rect", {class: "pack", x: pack.x, y, width: Math.max(0.8, pack.end - pack.x), height: high,
    fill: pack.colour || "#888"}); pack = null; };
  for (const s of lane.all) {
    if (s[5] < from || s[4] > to) continue;
    const x = left + (Math.max(s[4], from) - from) * scale, x2 = left + (Math.min(s[5], to) - from) * scale;
    if (x2 - x < 1) {
      if (pack && x - pack.end > 0.6) flush();
      if (!pack) pack = {x, end: x2, colour: lane.colour(s)};
      if (pack.colour != lane.colour(s)) pack.colour = "";
      pack.end = x2;
      continue;
    }
    flush();
    add("rect", {class: "stretch", "data-fiber": s[0], x, y, width: x2 - x, height: high, rx: 2, fill: lane.colour(s)});
    const inside = lane.inside(s);
    if (x2 - x > inside.length * 7 + 8) add("text", {class: "in", x: x + 5, y: y + high / 2 + 4}, inside);
  }
  flush();
}
function draw() {
  left = lanes == per_p ? 40 : 20 + 7 * Math.max(...lanes.map(l => l.label.length));
  high = lanes.length > 12 ? 14 : 34;
  const wide = (svg.clientWidth || 900) - left - 4;
  svg.replaceChildren();
  svg.setAttribute("height", lanes.length * (high + gap) + 18);
  ticks(wide);
  lanes.forEach((lane, row) => draw_lane(lane, row * (high + gap), wide));
  if (chosen != null) { const x = left + (chosen - from) * wide / (to - from);
    add("line", {x1: x, x2: x, y1: 0, y2: lanes.length * (high + gap), stroke: "currentColor"}); }
}
function tell(lane, t) {
  if (!lane) return;
  const s = lane.all.find(s => s[4] <= t && t <= s[5]);
  detail.className = "";
  detail.textContent = `${lane.label} at ${time(t)}: ` + (!s ? lanes == per_p ? "idle" : "waits" :
    `${s[1]}, fiber ${s[0]}, on P${s[2]} and thread M${s[3]}, from ${time(s[4])} to ${time(s[5])}: ${time(s[5] - s[4])}\n` +
    prints.filter(w => w[0] == s[0] && w[3] >= s[4] && w[3] <= s[5]).slice(0, 12).map(w => w[2]).join(""));
}
const place = e => { const b = svg.getBoundingClientRect();
  return [lanes[Math.max(0, Math.min(lanes.length - 1, Math.floor((e.clientY - b.top) / (high + gap))))],
          Math.min(to, Math.max(from, from + (e.clientX - b.left - left) / (b.width - left - 4) * (to - from)))]; };
let drag = null;
svg.onmousemove = e => { if (drag && e.buttons) { const by = drag[1] - place(e)[1]; move(from + by, to + by); } else tell(...place(e)); };
svg.onmousedown = e => drag = place(e);
onmouseup = () => drag = null;
svg.onclick = e => { const [lane, t] = place(e); location.hash = `${encodeURIComponent(lane.label)},${t.toFixed(3)}`; };
svg.ondblclick = () => move(0, end);
svg.addEventListener("wheel", e => { e.preventDefault(); const t = place(e)[1], f = e.deltaY > 0 ? 1.25 : 0.8;
  move(t - (t - from) * f, t + (to - t) * f); }, {passive: false});
function move(a, b) { if (b - a > end) [a, b] = [0, end]; if (a < 0) [a, b] = [0, b - a]; if (b > end) [a, b] = [a - b + end, end];
  if (b - a > 0.01) { from = Math.max(0, a); to = b; draw(); } }
function choose(which) { lanes = which; kind.textContent = which == per_p ? "show a lane per fiber" : "show a lane per P"; legend(); draw(); }
function legend() {
  const items = lanes == per_p ? names.map(n => [n, colour_of[n]]) : per_p.map((l, p) => [l.label, colours[p % colours.length]]);
  document.getElementById("legend").replaceChildren(...items.map(([name, colour]) => {
    const item = document.createElement("span"), box = document.createElement("i");
    box.style.background = colour;
    item.append(box, name);
    return item; }));
}
kind.onclick = () => choose(lanes == per_p ? per_fiber : per_p);
function from_address() {
  const m = location.hash.match(/^#(.+),([\d.]+)$/);
  if (!m) return;
  const wanted = decodeURIComponent(m[1]), found = l => l.label == wanted;
  choose(per_p.some(found) ? per_p : per_fiber);
  chosen = +m[2];
  tell(lanes.find(found), chosen);
  draw();
}
onhashchange = from_address;
onresize = draw;
const fibers_of = n => new Set(stretches.filter(s => s[1] == n).map(s => s[0])).size;
document.getElementById("who").innerHTML = "<tr><th>who</th><th>fibers</th><th>stretches</th><th>running</th><th>Ps</th></tr>";
for (const n of names) {
  const mine = stretches.filter(s => s[1] == n), row = document.getElementById("who").insertRow();
  [n, fibers_of(n), mine.length, time(mine.reduce((sum, s) => sum + s[5] - s[4], 0)), [...new Set(mine.map(s => "P" + s[2]))].sort().join(" ")]
    .forEach((text, i) => { const c = row.insertCell(); c.textContent = text; if (i > 0 && i < 4) c.className = "n"; });
}
for (const w of prints) {
  const line = document.createElement("span");
  line.style.borderColor = colour_of[w[1]] || "#a8a8a8";
  line.title = `${w[1]}, fiber ${w[0]}, at ${time(w[3])}`;
  line.textContent = w[2].replace(/\n$/, "");
  document.getElementById("prints").append(line);
}
choose(per_p);
from_address();
</script></body></html>
)HTML";

}  // namespace lesson
