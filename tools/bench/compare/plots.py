"""Two kinds of picture, as SVG that needs nothing beside it: bars of one row's peers, and lines of a sweep."""
import html
import math

COLOURS = {"weft": "var(--us)", "go": "#0284c7", "tokio": "#7c3aed", "may": "#be185d", "fiber": "#15803d",
           "tbb": "#a16207", "threads": "#64748b", "floors": "#334155"}


def colour(peer):
    return COLOURS.get(peer, "#555")


def words(x, y, text, anchor="start", kind=""):
    css = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{css}>{html.escape(text)}</text>'


def rule(x1, y1, x2, y2, extra='class="rule"'):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {extra}/>'


def svg(width, height, title, parts):
    return (f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{html.escape(title)}">'
            + words(0, 14, title, kind="title") + "".join(parts) + "</svg>")


class Log:
    """A logarithmic axis from the power of ten below the least value to the one above the greatest."""

    def __init__(self, values, at, to):
        self.low = math.floor(math.log10(min(values)) + 1e-9)
        self.high = max(math.ceil(math.log10(max(values)) - 1e-9), self.low + 1)
        self.at, self.to = at, to

    def __call__(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.at + part * (self.to - self.at)

    def ticks(self):
        return [10.0 ** e for e in range(self.low, self.high + 1)]


def power(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def bars(title, unit, standings, names):
    """A bar per peer from the axis to its median, a whisker from its least to its greatest round."""
    shown = [s for s in standings if s.median > 0 and s.least > 0]
    if not shown:
        return ""
    width, left, line = 500, 110, 20
    height = 44 + line * len(shown)
    x = Log([s.least for s in shown] + [s.most for s in shown], left, width - 70)
    parts = [rule(x(t), 22, x(t), height - 18) + words(x(t), height - 5, power(t), "middle", "soft") for t in x.ticks()]
    for i, s in enumerate(shown):
        y = 26 + i * line
        parts.append(words(left - 6, y + 11, names.get(s.peer, s.peer), "end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{max(x(s.median) - left, 1):.1f}" height="13" '
                     f'fill="{colour(s.peer)}" rx="2"/>')
        parts.append(rule(x(s.least), y + 6.5, x(s.most), y + 6.5, 'stroke="currentColor" stroke-width="1.5"'))
        parts.append(words(width - 2, y + 11, f"{s.median:,.1f} {unit}" if s.median < 1000 else f"{s.median:,.0f} {unit}", "end"))
    return svg(width, height, title, parts)


def lines(title, unit, x_name, series, names):
    """series: peer -> [(x, y)]; both axes logarithmic."""
    series = {peer: [(a, b) for a, b in points if b > 0] for peer, points in series.items()}
    series = {peer: points for peer, points in series.items() if points}
    points = [point for peer in series for point in series[peer]]
    if not points:
        return ""
    width, height, left, bottom, right = 520, 320, 52, 40, 100
    xs = sorted({a for a, _ in points})
    across = Log(xs, left, width - right) if xs[-1] >= 50 * xs[0] else Log2(xs, left, width - right)
    up = Log([b for _, b in points], height - bottom, 26)
    parts = [rule(left, up(t), width - right, up(t)) + words(left - 5, up(t) + 4, power(t), "end", "soft") for t in up.ticks()]
    parts += [words(across(t), height - bottom + 15, power(t), "middle", "soft") for t in across.ticks()]
    parts.append(words((left + width - right) / 2, height - 6, x_name, "middle", "soft"))
    parts.append(words(left, 26 + 12, unit, kind="soft"))
    ends = sorted(((up(pts[-1][1]), peer) for peer, pts in series.items()))
    free = 0.0
    for y, peer in ends:
        y = max(y, free + 13)
        free = y
        pts = series[peer]
        path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in pts)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour(peer)}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="3" fill="{colour(peer)}"><title>{a:g}: {b:,.1f} {unit}</title></circle>'
                  for a, b in pts]
        parts.append(rule(across(pts[-1][0]) + 4, up(pts[-1][1]), width - right + 12, y, f'stroke="{colour(peer)}" opacity=".4"'))
        parts.append(words(width - right + 15, y + 4, names.get(peer, peer)))
    return svg(width, height, title, parts)


class Log2(Log):
    """An axis whose ticks are the values themselves, for 1, 2, 4, 8."""

    def __init__(self, values, at, to):
        super().__init__(values, at, to)
        self.values = values
        self.low, self.high = math.log10(values[0]), max(math.log10(values[-1]), math.log10(values[0]) + 0.1)

    def ticks(self):
        return self.values
