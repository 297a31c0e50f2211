"""weft beside other schedulers: runs all in turn and reports. ./tools/dev compare --help."""
import argparse
import json
import shlex
import signal
import sys
import time
from pathlib import Path

import counts
import machine
import measure
import peers
import rows
from document import as_html, as_markdown, as_text
from figures import read_lines
from report import every_figure, report, standing_table

SECTIONS = {"rows": rows.ROWS, "served": rows.SERVED, "rest": rows.REST, "floors": rows.FLOORS}

# What ends a run: Ctrl-C, timeout(1), a terminal that closes.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def numbers(text):
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1 or max(found) > 1024:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers from 1 to 1024, such as 1,2")
    return found


def peer_names(text):
    unknown = [name for name in text.split(",") if name not in peers.NAMES]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown peer '{unknown[0]}'; there are {', '.join(peers.NAMES)}")
    return text.split(",")


def positive(text):
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 to 100000")
    return int(text)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"compare: {message}; see ./tools/dev compare --help\n")


def command_line(arguments):
    parser = Parser(
        prog="./tools/dev compare", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs weft's workloads beside the same ones on other schedulers, in turn, and reports medians and ratios.",
        epilog="Without a WORKLOAD and without a part, all rows of the table and the floors. Writes report.md, report.html and "
               "results.jsonl.\nExit status: 2 for a wrong call, 1 if weft failed in a run, else 0.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="rows of the table to run; --list names them")
    parser.add_argument("-p", type=numbers, metavar="1,2", help="numbers of Ps (each row has its own otherwise)")
    parser.add_argument("--rounds", type=positive, default=5, metavar="N", help=f"rounds (5; rows with two speeds at least {measure.BISTABLE_ROUNDS})")
    parser.add_argument("--peers", type=peer_names, metavar="go,tokio", help=f"of {','.join(peers.NAMES)} (all); weft always runs")
    parser.add_argument("--ms", type=positive, default=150, metavar="T", help="how long one run should take, if it can be scaled (150)")
    parser.add_argument("--limit", type=positive, default=60, metavar="S", help="seconds after which a run is given up (60)")
    parser.add_argument("--slow", type=positive, default=3, metavar="S",
                        help="a run that cannot be scaled and takes more seconds than this is not repeated (3)")
    parser.add_argument("--growth", action="store_true", help="the sweeps: cost as fibers, channels, timers and Ps grow")
    parser.add_argument("--counts", action="store_true", help="instructions and allocations per operation, system calls per request")
    parser.add_argument("--rest", action="store_true", help="CPU used at rest and at low load")
    parser.add_argument("--floors", action="store_true", help="what the machine charges without a scheduler")
    parser.add_argument("--out", type=Path, default=peers.ROOT / "build" / "compare", metavar="DIR", help="for the reports (build/compare)")
    parser.add_argument("--append", action="store_true", help="keep the results in DIR of what is not measured again")
    parser.add_argument("--render", action="store_true", help="measure nothing, only write the reports from DIR/results.jsonl")
    parser.add_argument("--list", action="store_true", help="lists workloads and peers")
    args = parser.parse_args(arguments)
    known = {row.workload for some in SECTIONS.values() for row in some} | {s.row.workload for s in rows.SWEEPS}
    for name in args.workloads:
        if name not in known:
            parser.error(f"unknown workload '{name}'; ./tools/dev compare --list names them")
    return args


def prepared(args):
    """The peers that can run, and why the others cannot."""
    ready, missing = [], {}
    for peer in peers.ALL:
        if args.peers and peer.name not in args.peers and peer.name not in ("weft", "floors"):
            continue
        try:
            print(f"compare: preparing {peer.title}", file=sys.stderr, flush=True)
            peer.prepare()
            ready.append(peer)
        except peers.Missing as e:
            if peer.name == "weft":
                sys.exit(f"compare: weft: {e}")
            missing[peer.name] = str(e)
            print(f"compare: {peer.title} is missing: {e}", file=sys.stderr)
    loaded = peers.loads()
    try:
        peers.load_generator()
    except peers.Missing as e:
        print(f"compare: no servers without the load generator: {e}", file=sys.stderr)
        loaded = ()
    if loaded and "resp" not in loaded:
        print("compare: resp is left out: redis-benchmark is missing, apt-get install redis-tools", file=sys.stderr)
    for peer in ready:
        peer.workloads = {name: what for name, what in peer.workloads.items() if name not in peers.SERVERS or name in loaded}
    return ready, missing


def wanted_rows(args):
    """(section, row, P, extra flags) of everything to be timed."""
    named = set(args.workloads)
    plain = not (args.growth or args.counts or args.rest or args.floors)
    sections = [name for name, on in (("rows", plain), ("served", plain), ("floors", plain or args.floors), ("rest", args.rest)) if on]
    for section in sections:
        seen = set()
        for row in SECTIONS[section]:
            if (row.workload, row.flags) in seen or (named and row.workload not in named):
                continue  # rows that differ only in the figure share their runs
            seen.add((row.workload, row.flags))
            for p in args.p or row.procs:
                yield section, row, p, ()
    if args.growth:
        seen = set()
        for sweep in rows.SWEEPS:
            for value in sweep.values:
                p, extra = (value, ()) if sweep.flag == "-p" else (sweep.p, (sweep.flag, str(value)))
                key = (sweep.row.workload, sweep.row.flags, p, extra)
                if key not in seen and (not named or sweep.row.workload in named):
                    seen.add(key)
                    yield "growth", sweep.row, p, extra


def can_run(peer, section, row, extra):
    flags = dict(zip(row.flags + extra, (row.flags + extra)[1:]))
    return (row.workload in peer.workloads and (peer.name == "floors") == (section == "floors") and
            int(flags.get("-fibers", 0)) <= peer.most_fibers)


def measure_all(args, ready, lines):
    runs, section_of = [], {}
    for section, row, p, extra in wanted_rows(args):
        for peer in ready:
            if can_run(peer, section, row, extra):
                it = measure.Run(peer, row, p, extra)
                runs.append(it)
                section_of[it] = section

    def keep(it, number, result):
        lines.append({"section": section_of[it], "peer": it.peer.name, "workload": it.row.workload, "p": it.p,
                      "flags": list(it.row.flags + it.extra), "round": number, "n": it.n, "result": result})

    if runs:
        progress = measure.Progress(sum(it.rounds(args.rounds) + 1 for it in runs))
        measure.rounds_of(runs, args.rounds, args.ms, args.limit, args.slow, keep, progress)
    if args.counts:
        named = set(args.workloads)
        counts.count_all([p for p in ready if p.name != "floors"],
                         [r for r in rows.COUNTED if not named or r.workload in named],
                         [r for r in rows.CALLED if not named or r.workload in named], args.limit, lines.append)


def identity(line):
    return (line.get("section"), line.get("peer"), line.get("workload"), tuple(line.get("flags", ())), line.get("p"), line.get("kind"))


def merged(old, new):
    """The old lines of what was not measured again, then the new ones."""
    again = {identity(line) for line in new}
    return [line for line in old if "machine" in line or identity(line) not in again] + new


def write_reports(folder, lines):
    folder.mkdir(parents=True, exist_ok=True)
    blocks = report(lines)
    (folder / "report.md").write_text(as_markdown(blocks), encoding="utf-8")
    (folder / "report.html").write_text(as_html(blocks, "weft beside its peers"), encoding="utf-8")
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def print_tables(lines):
    for section, some in SECTIONS.items():
        details = every_figure(lines, section, some)
        if details.rows:
            print(as_text(details), end="\n\n")
        standing = standing_table(lines, section, some)
        if standing.rows:
            print(as_text(standing), end="\n\n")


def list_all():
    for section, some in SECTIONS.items():
        print(f"{section}:", " ".join(dict.fromkeys(row.workload for row in some)))
    print("growth:", " ".join(dict.fromkeys(s.row.workload for s in rows.SWEEPS)))
    print("counts:", " ".join(row.workload for row in rows.COUNTED))
    print("peers:", " ".join(peers.NAMES))


def what_was_asked(arguments):
    """The command line without where the results went."""
    out = []
    for i, word in enumerate(arguments):
        if word not in ("--append", "--out") and not word.startswith("--out=") and (i == 0 or arguments[i - 1] != "--out"):
            out.append(word)
    return out


class Ended(BaseException):
    """A signal ended the measuring."""


def measured_until_a_signal(args, ready, lines):
    """Measures. Returns the signal that ended it, or 0."""
    def end(number, _):
        for other in ENDING:
            signal.signal(other, signal.SIG_IGN)  # the reports are written, even if the sender repeats itself
        raise Ended(number)

    for number in ENDING:
        signal.signal(number, end)
    try:
        measure_all(args, ready, lines)
    except Ended as ended:
        print("\ncompare: interrupted; the reports contain what was measured until then", file=sys.stderr)
        return ended.args[0]
    return 0


def warn(said):
    if said:
        print(f"compare: {said}", file=sys.stderr, flush=True)


def warn_if_busy(seconds):
    other = machine.OtherWork()
    time.sleep(seconds)
    warn(machine.busy(other.report()))


def main():
    args = command_line(sys.argv[1:])
    if args.list:
        list_all()
        return 0
    raw = args.out / "results.jsonl"
    if args.render and not raw.exists():
        print(f"compare: {raw} does not exist", file=sys.stderr)
        return 2
    old = read_lines(raw) if raw.exists() and (args.append or args.render) else []
    new, ended_by = [], 0
    if not args.render:
        ready, missing = prepared(args)
        warn_if_busy(seconds=1)
        other = machine.OtherWork()
        new.append({"machine": machine.about(), "versions": {p.name: p.version() for p in ready}, "missing": missing,
                    "command": shlex.join(["./tools/dev", "compare", *what_was_asked(sys.argv[1:])])})
        ended_by = measured_until_a_signal(args, ready, new)
        new[0]["other work"] = other.report()
        warn(machine.busy(new[0]["other work"]))
    lines = merged(old, new)
    write_reports(args.out, lines)
    print_tables(new if new else lines)
    print(f"{args.out / 'report.md'}, {args.out / 'report.html'}, {raw}")
    if ended_by:
        return 128 + ended_by
    return 1 if any(line.get("peer") == "weft" and "failed" in line.get("result", {}) for line in new) else 0


if __name__ == "__main__":
    sys.exit(main())
