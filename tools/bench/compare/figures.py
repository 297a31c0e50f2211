"""Medians and ratios of the lines that the runs left.

A ratio is the median of the rounds' ratios, not the ratio of two medians: two runs of one round, back to back, saw the
same machine.
"""
import json
import statistics
from dataclasses import dataclass


def read_lines(path):
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.strip():
            lines.append(json.loads(text))
    return lines


class Results:
    """The lines by what was run: (workload, flags, P) -> peer -> round -> result."""

    def __init__(self, lines):
        self.by_run, self.failures = {}, {}
        for line in lines:
            if "round" not in line:
                continue
            key = (line["workload"], tuple(line["flags"]), line["p"])
            if "failed" in line["result"]:
                self.failures.setdefault(key, {})[line["peer"]] = line["result"]["failed"]
            else:
                self.by_run.setdefault(key, {}).setdefault(line["peer"], {})[line["round"]] = line["result"]

    def peers(self):
        """Every peer that has a result, in the order of the lines."""
        return list(dict.fromkeys(peer for at in self.by_run.values() for peer in at))

    def column(self, key, peer, figure):
        """round -> the figure."""
        found = self.by_run.get(key, {}).get(peer, {})
        return {r: result[figure] for r, result in found.items() if figure in result}


@dataclass
class Standing:
    """One peer's figure in one row."""
    peer: str
    median: float
    least: float
    most: float
    column: dict  # round -> the figure
    to_go: float = None
    to_best: float = None


def ratio(ours, theirs):
    """The median of the rounds' ratios, or None if they share no round."""
    pairs = [ours[r] / theirs[r] for r in ours if r in theirs and theirs[r] > 0]
    return statistics.median(pairs) if pairs else None


def standings(results, row, p, extra=()):
    """The peers of a row, best first."""
    key = (row.workload, row.flags + tuple(extra), p)
    columns = {peer: results.column(key, peer, row.figure) for peer in results.by_run.get(key, {})}
    columns = {peer: column for peer, column in columns.items() if column}
    out = [Standing(peer, statistics.median(c.values()), min(c.values()), max(c.values()), c)
           for peer, c in columns.items()]
    out.sort(key=lambda s: s.median)
    for s in out:
        s.to_go = ratio(columns[s.peer], columns["go"]) if "go" in columns else None
        s.to_best = ratio(columns[s.peer], columns[out[0].peer])
    return out


def short(value):
    """Three or four digits, whatever the size."""
    if value is None:
        return "-"
    if value >= 100_000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def times(value):
    return "-" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"
