"""The report of what the lines say: where weft leads and where it trails, every figure, growth, counts, and CPU at rest."""
from pathlib import Path

try:
    import tomllib
except ImportError:  # before Python 3.11: the reasons are left out
    tomllib = None

import machine
import plots
from document import Heading, Picture, Table, Text
from figures import Results, ratio, short, standings, times
from peers import ALL
from rows import COUNTED, FIGURES, FLOORS, REST, ROWS, SERVED, SWEEPS

TITLES = {p.name: p.title for p in ALL}
REASONS = Path(__file__).with_name("reasons.toml")

# Two figures within this factor are level: that much lies between two rounds of the same program.
LEVEL = 1.2


def title_of(peer):
    return TITLES.get(peer, peer)


def measured(lines, section, rows):
    """(row, P, its standings) of those rows that have a result."""
    results = Results([line for line in lines if line.get("section") == section])
    for row in rows:
        for p in sorted({key[2] for key in results.by_run if key[:2] == (row.workload, row.flags)}):
            found = standings(results, row, p)
            if found:
                yield row, p, found


def find(found, peer):
    return next((s for s in found if s.peer == peer), None)


def ratio_to(found, peer):
    """weft's ratio to another's."""
    ours, theirs = find(found, "weft"), find(found, peer)
    return ratio(ours.column, theirs.column) if ours and theirs else None


def head(lines):
    about = [line for line in lines if "machine" in line]
    blocks = [Heading("weft beside its peers", 1)]
    if not about:
        return blocks
    blocks.append(Text("\n".join(f"- {key}: {value}" for key, value in about[-1]["machine"].items())))
    commands = list(dict.fromkeys(line["command"] for line in about))
    blocks.append(Text("\n".join("    " + c for c in commands)))
    other = [line["other work"] for line in about if "other work" in line]
    if other:
        worst = max(other, key=lambda it: it["others"] + it["stolen"])
        said = machine.busy(worst)
        blocks.append(Text(f"**{said[0].upper()}{said[1:]}.**" if said else
                           f"The machine was quiet: beside these commands it used at most {worst['others']:.2f} CPUs."))
    blocks.append(Text("Every figure is the median of rounds in which the peers ran in turn, and every ratio the median of the "
                       "rounds' ratios. Lower is better everywhere; a ratio below 1 says that weft is better. Two figures "
                       f"within a factor of {LEVEL} are called level."))
    return blocks


def peers_used(lines):
    about = [line for line in lines if "machine" in line]
    if not about:
        return []
    versions, missing = {}, {}
    for line in about:
        for name, version in line["versions"].items():
            versions.setdefault(name, {})[version] = None
        missing.update(line["missing"])
    rows = [[title_of(name), " and ".join(found), "; ".join(next(p.notes for p in ALL if p.name == name)) or "-"]
            for name, found in versions.items() if name != "floors"]
    blocks = [Heading("The peers"), Table(["peer", "version", "where its operation differs from Go's"], rows, left=3)]
    missing = {name: why for name, why in missing.items() if name not in versions}
    if missing:
        blocks.append(Text("\n".join(f"- {title_of(name)} is missing: {why}" for name, why in missing.items())))
    return blocks


def verdict(ratio):
    if ratio is None:
        return "alone"
    return "leads" if ratio < 1 / LEVEL else "trails" if ratio > LEVEL else "level"


def standing_table(lines, section, rows):
    table = []
    for row, p, found in measured(lines, section, rows):
        ours, go = find(found, "weft"), find(found, "go")
        if not ours:
            continue
        others = [s for s in found if not s.peer.startswith("weft")]
        best = others[0] if others else None
        wanted = row.wanted_at(p)
        to_go = ratio_to(found, "go")
        to_best = ratio_to(found, best.peer) if best else None
        reached = ratio_to(found, row.against)
        missed = " missed" if wanted and reached and reached > wanted else ""
        of = "" if row.against == "go" else f" of {title_of(row.against)}"
        table.append([row.title, str(p), f"{short(ours.median)} {row.unit}", short(go.median) if go else "-", times(to_go),
                      (f"{wanted:.2f}{of}" if wanted else "-") + missed, title_of(best.peer) if best else "-",
                      short(best.median) if best else "-", times(to_best), verdict(to_best)])
    return Table(["workload", "P", "weft", "Go", "weft / Go", "wanted", "best other", "its figure", "weft / best", ""], table)


def tally(lines):
    """In how many rows weft leads, is level and trails, against Go and against the best of the others."""
    against = {"Go": {}, "the best other": {}}
    for _, _, found in measured(lines, "rows", ROWS):
        others = [s.peer for s in found if not s.peer.startswith("weft") and s.peer != "floors"]
        for name, peer in (("Go", "go"), ("the best other", others[0] if others else None)):
            ratio = ratio_to(found, peer)
            if ratio is not None:
                against[name][verdict(ratio)] = against[name].get(verdict(ratio), 0) + 1
    said = [f"against {name} it leads in {n.get('leads', 0)} rows, is level in {n.get('level', 0)} and trails in {n.get('trails', 0)}"
            for name, n in against.items() if n]
    return [Text("; ".join(said).capitalize().replace("go it", "Go it") + ".")] if said else []


def reasons():
    return tomllib.loads(REASONS.read_text(encoding="utf-8"))["loss"] if tomllib and REASONS.exists() else []


UNEXPLAINED = {"why": "Not explained yet.", "change": "-"}


def reason_for(row, p, peer):
    for it in reasons():
        if (row.workload in it["workloads"] and row.figure == it.get("figure", row.figure) and peer in it["peers"] and
                p in it.get("procs", [p])):
            return it
    return UNEXPLAINED


def losses(lines):
    """What is lost, by the reason: each with the rows where it shows."""
    where = {}
    for section, rows in (("rows", ROWS), ("served", SERVED), ("rest", REST)):
        for row, p, found in measured(lines, section, rows):
            for other in found:
                r = ratio_to(found, other.peer) if other.peer != "weft" else None
                if verdict(r) == "trails":
                    it = reason_for(row, p, other.peer)
                    key = (it["why"], it["change"])
                    where.setdefault(key, {}).setdefault((row.title, p), []).append(f"{title_of(other.peer)} {times(r)}")
    if not where:
        return [Text("It trails nowhere by more than the noise.")]
    table = []
    for (why, change), at in where.items():
        table.append(["; ".join(f"{title}, {p}P: {', '.join(behind)}" for (title, p), behind in at.items()), why, change])
    return [Table(["where, and weft / the other", "why", "what would change it"], table, left=3)]


def every_figure(lines, section, rows):
    table = []
    for row, p, found in measured(lines, section, rows):
        for s in found:
            table.append([row.title, str(p), title_of(s.peer), f"{short(s.median)} {row.unit}", short(s.least), short(s.most),
                          times(s.to_go), times(s.to_best)])
    return Table(["workload", "P", "peer", "median", "min", "max", "/ Go", "/ best"], table)


def spreads(lines):
    """The runs of bistable rows as quantiles: a median alone hides that there are two groups."""
    table = []
    for row, p, found in measured(lines, "rows", [row for row in ROWS if row.bistable]):
        go = find(found, "go")
        for s in found:
            runs = sorted(s.column.values())
            at = [runs[round(part * (len(runs) - 1))] for part in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)]
            table.append([row.title, str(p), title_of(s.peer), str(len(runs)), *(short(value) for value in at),
                          times(runs[-1] / go.median) if go else "-"])
    return Table(["workload", "P", "peer", "runs", "least", "10 %", "25 %", "median", "75 %", "90 %", "most", "most / Go's median"],
                 table, left=3)


def bar_pictures(lines, section, rows):
    return [Picture(plots.bars(f"{row.title}, {p} P", row.unit, found, TITLES))
            for row, p, found in measured(lines, section, rows)]


def sweep_blocks(lines):
    results = Results([line for line in lines if line.get("section") == "growth"])
    pictures, tables = [], []
    for sweep in SWEEPS:
        series = {}
        for value in sweep.values:
            p, extra = (value, ()) if sweep.flag == "-p" else (sweep.p, (sweep.flag, str(value)))
            for s in standings(results, sweep.row, p, extra):
                series.setdefault(s.peer, []).append((value, s.median))
        if not series:
            continue
        name = "Ps" if sweep.flag == "-p" else sweep.flag.strip("-") if sweep.row.workload != "channels" else "channels"
        pictures.append(Picture(plots.lines(sweep.title, sweep.row.unit, name, series, TITLES)))
        values = [v for v in sweep.values if any(v == x for points in series.values() for x, _ in points)]
        rows = [[title_of(peer)] + [short(dict(points).get(v)) for v in values] for peer, points in series.items()]
        tables += [Text(f"**{sweep.title}** (`{sweep.row.name}`, {sweep.row.unit})"),
                   Table([name] + [f"{v:,}" for v in values], rows)]
    return pictures + tables


CALLS = "system calls"


def count_blocks(lines):
    found = {}
    by_p = {}
    for line in lines:
        if line.get("section") != "counts":
            continue
        if "p" in line:
            by_p.setdefault(line["workload"], {})[line["p"]] = line["per_op"]
        else:
            found.setdefault(line["kind"], {}).setdefault(line["workload"], {})[line["peer"]] = line["per_op"]
    blocks = []
    for kind in sorted(found, reverse=True):
        peers = list(dict.fromkeys(peer for at in found[kind].values() for peer in at))
        ordered = [name for name in dict.fromkeys(row.name if kind == CALLS else row.workload for row in COUNTED + SERVED)
                   if name in found[kind]]
        rows = [[w] + [counted(found[kind][w].get(peer)) for peer in peers] for w in ordered]
        of = "request" if kind == CALLS else "operation"
        blocks += [Text(f"**{kind.capitalize()} per {of}**, one P"), Table(["workload"] + [title_of(p) for p in peers], rows)]
    return blocks + instructions_by_p(by_p)


def instructions_by_p(by_p):
    if not by_p:
        return []
    ps = sorted({p for at in by_p.values() for p in at})
    rows = [[workload] + [counted(at.get(p)) for p in ps] + [times(at[ps[-1]] / at[2]) if ps[-1] in at and 2 in at else "-"]
            for workload, at in by_p.items()]
    return [Text("**Instructions per operation of weft by the number of Ps**"),
            Table(["workload"] + [str(p) for p in ps] + [f"{ps[-1]} / 2"], rows)]


def counted(value):
    if value is None:
        return "-"
    if value >= 10:
        return f"{value:,.0f}"
    return f"{max(value, 0):.2f}".rstrip("0").rstrip(".")


def failures(lines):
    seen = dict.fromkeys((line["peer"], line["workload"] + " " + " ".join(line["flags"]), line["p"], line["result"]["failed"])
                         for line in lines if "failed" in line.get("result", {}))
    return [[title_of(peer), name.strip(), str(p), said] for peer, name, p, said in seen]


def report(lines):
    blocks = head(lines)

    def section(title, *inside):
        inside = [b for b in inside if not isinstance(b, Table) or b.rows]
        if inside:
            blocks.extend([Heading(title), *inside])

    section("Where weft stands", *tally(lines), standing_table(lines, "rows", ROWS))
    section("Servers", *with_text(standing_table(lines, "served", SERVED), (
        "A client in a process of its own sends 64 bytes or a GET on each of `-conns` connections as soon as the last answer "
        "is there; a row that names no figure is wall time over requests; `-idle` connections have said something once. C is a loop without a scheduler: what the kernel charges.")))
    section("Rows with two speeds", *with_text(spreads(lines), (
        "Whether a run of these is fast or slow depends on how the threads meet. Each was run in as many processes as the "
        "table says; the figures are times per operation in ns, from the fastest run to the slowest.")))
    if any(line.get("section") in ("rows", "served", "rest") for line in lines):
        section("Where weft trails", *losses(lines))
    section("At rest and at low load", *with_text(standing_table(lines, "rest", REST), (
        "`idle` waits for one timer, `wakeups` wakes every millisecond, `tickers` has a ticker of 10 ms for each "
        "P. The figure is the CPU of the whole process, user and system, for each second.")))
    section("Growth", *sweep_blocks(lines))
    section("Counted", *with_text_before(count_blocks(lines), (
        "Two runs on one P of n and of 2n operations; their difference over n leaves out what starting costs. Instructions "
        "are Valgrind's (callgrind); allocations are calls of malloc and its like, in Go what the runtime counts. System calls are "
        "strace's, of a server from its start to its end, over all requests; strace slows the server, and so makes batches larger.")))
    section("Floors", *with_text(every_figure(lines, "floors", FLOORS), "What the machine charges without any scheduler."))
    sections = (("rows", ROWS), ("served", SERVED), ("rest", REST))
    section("Pictures", *(picture for name, some in sections for picture in bar_pictures(lines, name, some)))
    section("Every figure", *(every_figure(lines, name, some) for name, some in sections))
    section("What did not run", Table(["peer", "workload", "P", "it said"], failures(lines), left=4))
    blocks.extend(peers_used(lines))
    return blocks


def with_text(table, text):
    return [Text(text), table] if table.rows else []


def with_text_before(blocks, text):
    return [Text(text), *blocks] if blocks else []
