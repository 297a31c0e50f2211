"""A report as a list of blocks, and what each is in Markdown, in HTML and on a terminal."""
import html
import re
from dataclasses import dataclass


@dataclass
class Heading:
    text: str
    level: int = 2


@dataclass
class Text:
    text: str


@dataclass
class Table:
    """Cells are strings; columns named in `left` are set to the left, the others are numbers."""
    head: list
    rows: list
    left: int = 1


@dataclass
class Picture:
    """An SVG; only the HTML shows it."""
    svg: str


def is_number(cell):
    return re.fullmatch(r"[-+]?[\d.,]+( [a-zA-Z]+)?|-", cell) is not None


def as_markdown(blocks):
    out = []
    for b in blocks:
        if isinstance(b, Heading):
            out.append("#" * b.level + " " + b.text)
        elif isinstance(b, Text):
            out.append(b.text)
        elif isinstance(b, Table):
            lines = ["| " + " | ".join(b.head) + " |",
                     "|" + "|".join("---" if i < b.left else "---:" for i in range(len(b.head))) + "|"]
            lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in b.rows]
            out.append("\n".join(lines))
    return "\n\n".join(out) + "\n"


def as_text(table):
    """A table for a terminal, its columns aligned."""
    cells = [table.head] + table.rows
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.head))]
    lines = []
    for row in cells:
        lines.append("  ".join(c.ljust(w) if i < table.left else c.rjust(w)
                               for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    return "\n".join(lines)


STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --line: #d8dde6; --page: #fff; --us: #c2410c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #39414f; --page: #14181f; --us: #fb923c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 1080px;
       margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; margin: 2em 0 .5em; } h1 { margin-top: 0; }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px; }
th, td { padding: .25em .7em; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font-size: 90%; } .wide { overflow-x: auto; } .plots { display: flex; flex-wrap: wrap; gap: 1rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .rule { stroke: var(--line); } svg .title { font-size: 13px; font-weight: 600; }
"""


def inline(text):
    """Markdown's `code` and **strong** in a paragraph."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


def table_html(table):
    def cell(tag, i, text):
        return f'<{tag}{"" if i < table.left else " class=n"}>{inline(text)}</{tag}>'
    head = "".join(cell("th", i, c) for i, c in enumerate(table.head))
    rows = "".join("<tr>" + "".join(cell("td", i, c) for i, c in enumerate(row)) + "</tr>\n" for row in table.rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>'


def paragraph_html(text):
    lines = text.splitlines()
    if lines and all(line.startswith(("- ", "  ")) for line in lines):
        items = re.sub(r"\n  +", " ", text).splitlines()
        return "<ul>" + "".join(f"<li>{inline(item[2:])}</li>" for item in items) + "</ul>"
    if lines and all(line.startswith("    ") for line in lines):
        return "<pre>" + html.escape("\n".join(line[4:] for line in lines)) + "</pre>"
    return f"<p>{inline(text)}</p>"


def as_html(blocks, title):
    out = [f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
           f"<title>{html.escape(title)}</title><style>{STYLE}</style><body>"]
    row_of_pictures = False
    for b in blocks:
        if isinstance(b, Picture) != row_of_pictures:
            out.append("</div>" if row_of_pictures else '<div class="plots">')
            row_of_pictures = not row_of_pictures
        if isinstance(b, Heading):
            out.append(f"<h{b.level}>{inline(b.text)}</h{b.level}>")
        elif isinstance(b, Text):
            out.append(paragraph_html(b.text))
        elif isinstance(b, Table):
            out.append(table_html(b))
        else:
            out.append(b.svg)
    return "\n".join(out + ["</div>" if row_of_pictures else "", "</body></html>"]) + "\n"
