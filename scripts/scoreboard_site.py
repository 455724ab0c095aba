"""The scoreboard as pages: a matrix of all programs, and a page for each with its ladders, cures and command.

They are static, have no script and take nothing from elsewhere. Words about a program's failures are those of the
pages in docs/, which were checked by hand; what has no result says so."""

import html
import json
import pathlib
import re
import shlex
import subprocess
import tempfile

import markdown

from scoreboard_data import ROOT, VERDICTS, in_order
from scoreboard_tables import OUTAGES, shortcomings

SIGN = {"pass": "·", "warn": "w", "fail": "F", "inconclusive": "?", "not applicable": "–"}
NAME = {"defaults": "defaults", "cured": "cured"}
STYLE = """
nav{margin:.4rem 0}table.board{width:auto}table.board td{text-align:center;padding:.1rem .35rem}
table.board td a{text-decoration:none;display:block}
table.board td a:is(:hover,:focus-visible)::after{content:attr(aria-label);position:absolute;background:Canvas;color:CanvasText;border:1px solid var(--line);padding:.1rem .4rem;font-weight:400;white-space:nowrap;pointer-events:none}
table.board th.pair{min-width:0;font-weight:600;vertical-align:bottom}
table.board th.pair span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}
table.board td.first,table.board th.first{border-left:2px solid var(--line)}
.unplayed{color:var(--dim)}ul.programs{columns:20rem;padding-left:1.2rem}
section{margin-top:1.2rem}
@media(max-width:40rem){table.board th.case .done{display:none}table.board th.case{min-width:5rem}}
@media print{table.board{font-size:7pt}}
"""
esc = html.escape


def page(title, body):
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{esc(title)}</title><link rel="stylesheet" href="style.css"></head>
<body><p class="skip"><a href="#main">to the content</a></p>
<main id="main">
{body}
</main></body></html>
"""


def verdict_class(verdict):
    return verdict.replace(" ", "-")


def file_of(entry):
    return f"{entry.name}.html"


# ---- what halfopen's own report draws

def report_of(halfopen, results, only_drawn):
    """halfopen's page of these results; its diagrams are taken from there."""
    document = {"schema": 2, "halfopen": "", "pairs": []}
    for r in results:
        cases = [c for c in r.pair["cases"] if c.get("packets") or not only_drawn]
        document["pairs"].append(r.pair | {"cases": cases})
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "results.json"
        file.write_text(json.dumps(document))
        ran = subprocess.run([halfopen, "report", "merge", file, "--html", "-"], capture_output=True, text=True)
    if "<style>" not in ran.stdout:
        raise RuntimeError(f"{halfopen} report merge: {ran.returncode}: {ran.stderr}")
    return ran.stdout


def style_of(halfopen):
    return report_of(halfopen, [], False).partition("<style>")[2].partition("</style>")[0]


def ladders_of(halfopen, result):
    """The worst cases of which packets were kept, as halfopen draws them."""
    if result is None or not any(c.get("packets") for c in result.pair["cases"]):
        return ""
    text = report_of(halfopen, [result], True)
    drawn = text.partition('<div class="worst">')[2].partition('</div>\n<h2 id="all">')[0]
    return f'<section><h2>The worst, in its packets</h2>\n<div class="worst">{drawn}</div></section>' if drawn else ""


# ---- words

def heading(text, name):
    """What stands below that heading of a Markdown page, to the next one."""
    found = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##|\Z)", text, re.S | re.M)
    if not found:
        raise ValueError(f"no heading '### {name}'")
    return found[1].strip()


def from_markdown(text):
    """As HTML; what looks like a tag is text."""
    maker = markdown.Markdown()
    maker.preprocessors.deregister("html_block")
    maker.inlinePatterns.deregister("html")
    return maker.convert(text)


def findings_of(entry):
    parts = []
    for place in entry.findings:
        name, _, wanted = place.partition(": ")
        words = heading((ROOT / "docs" / name).read_text(), wanted)
        # A list may follow a paragraph without an empty line here, as GitHub has it.
        words = re.sub(r"(?m)^(?![-\s])(.+)\n- ", r"\1\n\n- ", words)
        parts.append(f"<h3>{from_markdown(wanted)[3:-4]}</h3>\n{from_markdown(words)}\n"
                     f'<p class="dim">from <a href="../{name}">docs/{esc(name)}</a></p>')
    return "<section><h2>What it does, and why</h2>\n" + "\n".join(parts) + "</section>" if parts else ""


def commands_of(entry):
    """How anybody repeats it: with scripts/scoreboard, and by hand."""
    lines = [f"scripts/scoreboard {entry.name}", "", "# or by hand:"]
    if entry.packages:
        lines.append("sudo apt-get install " + " ".join(entry.packages))
    if entry.folder:
        lines.append("cd " + entry.folder)
    lines += entry.prepare
    lines += [shlex.join(entry.command(v)) for v in entry.variants()]
    return "<section><h2>Play it again</h2>\n<pre tabindex=\"0\">" + esc("\n".join(lines)) + "</pre></section>"


def about(result):
    where = [f"{result.pair['clock']} clock"]
    if result.about.get("machine"):
        where.append(result.about["machine"])
    if result.about.get("played", "1") != "1":
        where.append(f"{result.about['played']} rounds")
    packages = ", ".join(f"{p} {v}" for p, v in result.about.get("packages", {}).items())
    return f"{esc(result.pair['date'][:10])}, {esc(', '.join(where))}{esc('. ' + packages if packages else '')}"


def score(counts):
    return " ".join(f'<span class="{verdict_class(v)}">{counts[v]} {v}</span>'
                    for v in ("fail", "warn", "inconclusive", "pass", "not applicable") if counts[v])


# ---- the page of a program

def cell(result, case):
    if result is None or case not in result.cases:
        return "<td></td>"
    rounds = result.rounds(case)
    verdict = result.cases[case]["verdict"]
    shown = " / ".join(rounds) if len(set(rounds)) > 1 else verdict
    return f'<td class="{verdict_class(verdict)}">{esc(shown)}</td>'


def cases_of(entry, kept):
    variants = [v for v in ("defaults", "cured") if v in kept]
    done = {c["id"]: c["done"] for v in variants for c in kept[v].pair["cases"]}
    rows = [f'<tr id="{case_id(case)}"><th scope="row" class="case"><b>{esc(case)}</b> <span class="done">{esc(done[case])}</span></th>'
            + "".join(cell(kept[v], case) for v in variants) + "</tr>" for case in in_order(done)]
    head = "".join(f'<th scope="col">{NAME[v]}</th>' for v in variants)
    return ('<section><h2 id="cases">All cases</h2>\n<div class="scroll" tabindex="0" role="region" aria-label="all cases">'
            f'<table><tr><th scope="col" class="case">case</th>{head}</tr>\n' + "\n".join(rows) + "</table></div></section>")


def case_id(case):
    return "case-" + re.sub(r"[^a-z0-9]+", "-", case.lower())


def same_again(result):
    """A line for all cases of which the same is said."""
    lines = [f'<li>{subject} <b class="{verdict_class(verdict)}">{verdict}</b> {" ".join(f"<code>{esc(c)}</code>" for c in cases)}: {esc(words)}</li>'
             for verdict, subject, cases, words in shortcomings(result) if words]
    return f"<section><h2>What happened</h2>\n<ul>{''.join(lines)}</ul></section>" if lines else ""


def program_page(entry, kept, halfopen):
    parts = ['<nav><a href="index.html">The scoreboard</a></nav>', f"<h1>{esc(entry.title)}</h1>"]
    if not kept:
        parts.append('<p class="unplayed">It has not been played yet: nothing is said of it.</p>')
    for variant in kept:
        parts.append(f'<p class="score"><b>{NAME[variant]}:</b> {score(kept[variant].counts())}</p>'
                     f'<p class="dim">{about(kept[variant])}</p>')
    defaults = kept.get("defaults")
    parts.append(ladders_of(halfopen, defaults))
    if kept:  # what is not played has no findings to be said
        parts.append(findings_of(entry))
    if entry.cure:
        parts.append(f"<section><h2>The cure</h2><p>{esc(entry.cure)}{'' if 'cured' in kept else ' (no playing with it is kept here)'}</p></section>")
    if defaults:
        parts.append(same_again(defaults))
    parts.append(commands_of(entry))
    if entry.docs:
        parts.append("<section><h2>Its own documentation</h2><ul>" + "".join(
            f'<li><a href="{esc(url)}">{esc(name)}</a></li>' for name, url in entry.docs.items()) + "</ul></section>")
    if kept:
        parts.append(cases_of(entry, kept))
    return page(f"{entry.title}: halfopen's scoreboard", "\n".join(p for p in parts if p))


# ---- the matrix

def columns_of(kind, listed, kept):
    """(name, Entry, Result, suffix of its cases) of every column, in the file's order."""
    for e in listed.values():
        if e.kind != kind or e.name not in kept:
            continue
        for variant, r in kept[e.name].items():
            for title, link in (e.columns or {e.name: ""}).items():
                if not link or any(c.endswith("@" + link) for c in r.cases):
                    yield title + (", cured" if variant == "cured" else ""), e, r, "@" + link if link else ""


def board_cell(name, entry, result, case, first):
    look = ' class="first"' if first else ""
    if case not in result.cases:
        return f"<td{look}></td>"
    rounds = result.rounds(case)
    verdict = result.cases[case]["verdict"]
    shown = "".join(SIGN[v] for v in rounds) if len(set(rounds)) > 1 else SIGN[verdict]
    words = f"{name}, {case}: {' / '.join(rounds) if len(set(rounds)) > 1 else verdict}"
    return (f'<td{look}><a class="{verdict_class(verdict)}" href="{esc(file_of(entry))}#{case_id(case)}" '
            f'aria-label="{esc(words)}">{shown}</a></td>')


def matrix(kind, title, listed, kept):
    columns = list(columns_of(kind, listed, kept))
    if not columns:
        return ""
    bare = lambda case, suffix: case.removesuffix(suffix) if suffix and case.endswith(suffix) else None if suffix else case
    done = {}
    for _, _, r, suffix in columns:
        for c in r.pair["cases"]:
            if (id_ := bare(c["id"], suffix)) is not None:
                done.setdefault(id_, OUTAGES.get(int(id_.split("/")[1]), c["done"]) if suffix else c["done"])
    first = [i == 0 or columns[i - 1][1].name != e.name for i, (_, e, _, _) in enumerate(columns)]
    head = "".join(f'<th scope="col" class="pair{" first" if f else ""}"><span><a href="{esc(file_of(e))}">{esc(name)}</a></span></th>'
                   for f, (name, e, _, _) in zip(first, columns))
    told = ["<tr><th scope=\"row\" class=\"case\">" + label + "</th>" + "".join(
        f'<td{" class=first" if f else ""}>{esc(value(r))}</td>' for f, (_, _, r, _) in zip(first, columns)) + "</tr>"
        for label, value in (("clock", lambda r: r.pair["clock"].split(",")[0]),
                             ("rounds", lambda r: r.about.get("played", str(len(r.about.get("rounds", [1]))))))]
    rows = [f'<tr><th scope="row" class="case"><b>{esc(case)}</b> <span class="done">{esc(done[case])}</span></th>' + "".join(
        board_cell(name, e, r, case + suffix, f) for f, (name, e, r, suffix) in zip(first, columns)) + "</tr>"
        for case in in_order(done)]
    return (f'<section><h2 id="{kind}s">{title}</h2>\n<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
            f'<table class="board"><tr><th scope="col" class="case">case</th>{head}</tr>\n' + "\n".join(told + rows) +
            "</table></div></section>")


def programs(listed, kept):
    items = []
    for e in listed.values():
        r = kept.get(e.name, {}).get("defaults")
        words = score(r.counts()) if r else '<span class="unplayed">not played yet</span>'
        items.append(f'<li><a href="{esc(file_of(e))}">{esc(e.title)}</a> {words}</li>')
    return f'<section><h2 id="programs">Programs</h2><ul class="programs">{"".join(items)}</ul></section>'


def index_page(listed, kept):
    body = f"""<h1>What well-known programs do when the other side dies</h1>
<p>Judged by <code>halfopen test</code> with their defaults, as their manuals show them, and again with the settings that cure
them. Most of what fails is a documented default, and a choice; it counts neither bugs nor quality. How to read it, and
how it was checked: <a href="../scoreboard.md">pairs</a>, <a href="../scoreboard-http.md">more pairs over HTTP</a>,
<a href="../scoreboard-tls.md">pairs over TLS</a>,
<a href="../scoreboard-systems.md">systems</a>.</p>
<p>{" ".join(f'<span class="{verdict_class(v)}">{SIGN[v]} {v}</span>,' for v in VERDICTS)} an empty field: not played.
Where rounds differ, each has its sign.</p>
<nav><a href="#pairs">pairs</a> · <a href="#systems">systems</a> · <a href="#programs">programs</a></nav>"""
    return page("halfopen's scoreboard", "\n".join(
        [body, matrix("pair", "Pairs: a server and a client", listed, kept),
         matrix("system", "Systems: a service and what it depends on", listed, kept), programs(listed, kept)]))


def render(listed, kept, halfopen, folder):
    """Writes the pages; what an entry that is gone had left is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"index.html"} | {file_of(e) for e in listed.values()}
    for old in folder.glob("*.html"):
        if old.name not in wanted:
            old.unlink()
    (folder / "style.css").write_text(style_of(halfopen) + STYLE)
    (folder / "index.html").write_text(index_page(listed, kept))
    for e in listed.values():
        (folder / file_of(e)).write_text(program_page(e, kept.get(e.name, {}), halfopen))
