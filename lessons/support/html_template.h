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
#legend span { margin-right: 1.5em; white-space: nowrap; cursor: pointer; } #legend i { display: inline-block;
  width: .9em; height: .9em; border-radius: 2px; margin-right: .4em; vertical-align: -1px; }
#detail { min-height: 3.2em; border-left: 3px solid var(--lane); padding-left: .8em; white-space: pre-wrap; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 0 1.5em 0 0; font-weight: normal; }
th { color: var(--soft); } td.n { text-align: right; }
pre { background: var(--lane); padding: .8em; max-height: 24em; overflow: auto; } pre span { border-left: 4px solid; padding-left: .5em; display: block; }
</style></head><body>
<h1>%TITLE%</h1>
<p>%VERDICT% <span class="soft">%FIGURES%</span></p>
<svg id="lanes" role="img" aria-label="which fiber ran on which P, over time"></svg>
<p id="legend"></p>
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
const end = Math.max(1, ...stretches.map(s => s[5])), lanes = Math.max(procs, ...stretches.map(s => s[2] + 1));
const by_p = Array.from({length: lanes}, (_, p) => stretches.filter(s => s[2] == p));
const shown = Array.from({length: lanes}, (_, p) => p).filter(p => p < 8 || by_p[p].length);
let from = 0, to = end, chosen = null;
const svg = document.getElementById("lanes"), detail = document.getElementById("detail");
const left = 40, high = 34, gap = 8;
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
    const x = left + (t - from) / (to - from) * wide, y = shown.length * (high + gap);
    add("line", {class: "tick", x1: x, x2: x, y1: 0, y2: y});
    add("text", {x: x + 3, y: y + 12}, t == 0 ? "0" : +(t < 1e3 ? t : t / 1e3).toPrecision(6) + (t < 1e3 ? " us" : " ms"));
  }
}
function draw() {
  const all = svg.clientWidth || 900, wide = all - left - 4, scale = wide / (to - from);
  svg.replaceChildren();
  svg.setAttribute("height", shown.length * (high + gap) + 18);
  ticks(wide);
  shown.forEach((p, row) => {
    const y = row * (high + gap);
    add("text", {x: 4, y: y + high / 2 + 4}, "P" + p);
    add("rect", {class: "lane", x: left, y: y, width: wide, height: high, rx: 3});
    let pack = null;  // stretches too short to be seen
    const flush = () => { if (pack) add("rect", {class: "pack", x: pack.x, y, width: Math.max(0.6, pack.end - pack.x), height: high,
      fill: colour_of[pack.name] || "#888"}); pack = null; };
    for (const s of by_p[p]) {
      if (s[5] < from || s[4] > to) continue;
      const x = left + (Math.max(s[4], from) - from) * scale, x2 = left + (Math.min(s[5], to) - from) * scale;
      if (x2 - x < 1) {
        if (pack && x - pack.end > 0.6) flush();
        if (!pack) pack = {x, end: x2, name: s[1]};
        if (pack.name != s[1]) pack.name = "";
        pack.end = x2;
        continue;
      }
      flush();
      add("rect", {class: "stretch", "data-fiber": s[0], x, y, width: x2 - x, height: high, rx: 2, fill: colour_of[s[1]]});
      if (x2 - x > s[1].length * 7 + 8) add("text", {class: "in", x: x + 5, y: y + high / 2 + 4}, s[1]);
    }
    flush();
  });
  if (chosen != null) { const x = left + (chosen - from) * scale; add("line", {x1: x, x2: x, y1: 0, y2: shown.length * (high + gap), stroke: "currentColor"}); }
}
const at = (p, t) => by_p[p].find(s => s[4] <= t && t <= s[5]);
function tell(p, t) {
  const s = by_p[p] && at(p, t);
  detail.className = "";
  detail.textContent = `P${p} at ${time(t)}: ` + (!s ? "idle" :
    `${s[1]}, fiber ${s[0]}, on thread M${s[3]}, from ${time(s[4])} to ${time(s[5])}: ${time(s[5] - s[4])}\n` +
    prints.filter(w => w[0] == s[0] && w[3] >= s[4] && w[3] <= s[5]).slice(0, 12).map(w => w[2]).join(""));
}
const place = e => { const b = svg.getBoundingClientRect();
  return [shown[Math.min(shown.length - 1, Math.floor((e.clientY - b.top) / (high + gap)))],
          Math.min(to, Math.max(from, from + (e.clientX - b.left - left) / (b.width - left - 4) * (to - from)))]; };
let drag = null;
svg.onmousemove = e => { if (drag && e.buttons) { const by = drag[1] - place(e)[1]; move(from + by, to + by); } else tell(...place(e)); };
svg.onmousedown = e => drag = place(e);
onmouseup = () => drag = null;
svg.onclick = e => { const [p, t] = place(e); location.hash = `P${p},${t.toFixed(3)}`; };
svg.ondblclick = () => move(0, end);
svg.addEventListener("wheel", e => { e.preventDefault(); const t = place(e)[1], f = e.deltaY > 0 ? 1.25 : 0.8;
  move(t - (t - from) * f, t + (to - t) * f); }, {passive: false});
function move(a, b) { if (b - a > end) [a, b] = [0, end]; if (a < 0) [a, b] = [0, b - a]; if (b > end) [a, b] = [a - b + end, end];
  if (b - a > 0.01) { from = Math.max(0, a); to = b; draw(); } }
function from_address() { const m = location.hash.match(/^#P(\d+),([\d.]+)$/); if (m) { chosen = +m[2]; tell(+m[1], chosen); draw(); } }
onhashchange = from_address;
onresize = draw;
const fibers_of = n => new Set(stretches.filter(s => s[1] == n).map(s => s[0])).size;
document.getElementById("who").innerHTML = "<tr><th>who</th><th>fibers</th><th>stretches</th><th>running</th><th>Ps</th></tr>";
for (const n of names) {
  const mine = stretches.filter(s => s[1] == n), row = document.getElementById("who").insertRow();
  [n, fibers_of(n), mine.length, time(mine.reduce((sum, s) => sum + s[5] - s[4], 0)), [...new Set(mine.map(s => "P" + s[2]))].sort().join(" ")]
    .forEach((text, i) => { const c = row.insertCell(); c.textContent = text; if (i > 0 && i < 4) c.className = "n"; });
  const item = document.createElement("span"), box = document.createElement("i");
  box.style.background = colour_of[n];
  item.append(box, n);
  document.getElementById("legend").append(item);
}
for (const w of prints) {
  const line = document.createElement("span");
  line.style.borderColor = colour_of[w[1]] || "#a8a8a8";
  line.title = `${w[1]}, fiber ${w[0]}, at ${time(w[3])}`;
  line.textContent = w[2].replace(/\n$/, "");
  document.getElementById("prints").append(line);
}
draw();
from_address();
</script></body></html>
)HTML";

}  // namespace lesson
