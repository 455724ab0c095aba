# Purpose: a reader with a telephone, a dark screen, paper or nothing but a keyboard gets all of the judge's page: the
# worst three are open in it, and nothing is cut off, too pale, or out of reach.
import json
import shlex
import shutil
import subprocess

from browser import LOW_CONTRAST, browser
from lab_helpers import HALFOPEN, check, halfopen, temporary_folder

folder = temporary_folder()
server = shlex.quote(HALFOPEN) + " serve echo --pair naive --listen 0.0.0.0"
client = f"echo one | {shlex.quote(HALFOPEN)} call echo --pair naive server"
CASES = ["exit/6", "exit/7", "connect/1", "abort/2", "crash/7"]
for name in "first", "second":
    ran = halfopen("test", "--name", name, "--server", server, "--client", client, "--limit", 2, "--clock", "real", "--case",
                   *CASES[:3 if name == "second" else 5], "--json", folder / f"{name}.json")
    check((folder / f"{name}.json").exists(), f"{ran.returncode}: {ran.stderr}")
halfopen("report", "merge", folder / "first.json", "--html", folder / "one.html")
halfopen("report", "merge", folder / "first.json", folder / "second.json", "--html", folder / "two.html")
played = json.loads((folder / "first.json").read_text())["pairs"][0]["cases"]
bad = [c["id"] for c in played if c["verdict"] in ("fail", "warn")]
check(len(bad) >= 2, f"the naive pair fails: {bad}")

with browser() as b:
    for width, dark in (1280, False), (390, False), (1280, True), (390, True):
        for page in "one", "two":
            where = f"{page}, {width} pixels, {'dark' if dark else 'light'}"
            b.open(folder / f"{page}.html", width, 844, dark)
            needs = b.run("document.documentElement.scrollWidth")
            check(needs <= width, f"{where}: it needs {needs}")
            # The first screen.
            top = b.run("""[...document.querySelectorAll("h1, .score, .what, table.scores, #worst, .worst details")]
                           .filter(e => e.getBoundingClientRect().top < innerHeight).map(e => e.className || e.tagName)""")
            for what in "H1", "score", "is-fail":
                check(any(what in seen for seen in top), f"{where}: {what} is not on the first screen: {top}")
            opened = b.run("[...document.querySelectorAll('details[open]')].map(d => d.dataset.case)")
            check(len(opened) == min(3, len(bad)) or page == "two", f"{where}: {opened} of {bad}")
            check(b.run("[...document.querySelectorAll('details[open]')].every(d => d.querySelector('svg.ladder'))"),
                  f"{where}: an open case has no ladder")
            check(not b.run("document.querySelector('.worst ~ * details[open], dl ~ details[open]')"), f"{where}: others are open")
            b.run("document.querySelectorAll('details').forEach(d => d.open = true)")
            low = b.run(LOW_CONTRAST)
            check(not low, f"{where}: too pale: {low}")
            wide = b.run("""[...document.querySelectorAll("svg.ladder")].map(s => s.getBoundingClientRect())
                            .filter(r => r.left < 0 || r.right > innerWidth).length""")
            check(wide == 0, f"{where}: {wide} ladders are cut")
            check(b.run("document.querySelectorAll('#matrix tr:not(.family) td').length") % (1 if page == "one" else 2) == 0,
                  f"{where}: the matrix has a cell a program in each row")

    # Who waits is shown with what was seen of it and what would have come.
    hang = next(c for c in played if c["id"] == "crash/7")
    if hang["verdict"] == "fail":
        b.open(folder / "one.html")
        words = b.run("[...document.querySelectorAll('details[data-case=\"crash/7\"] svg.ladder text')].map(t => t.textContent).join(' ')")
        check(hang["still_waiting_ms"] >= 2000, f"when it was looked at: {hang}")
        check("still waiting after" in words and "of silence" in words.replace("\n", " "), f"the ladder of a hang: {words}")
        check(b.run("document.querySelectorAll('details[data-case=\"crash/7\"] .ladder-break').length") >= 2, "its lines are broken")

    # A keyboard alone.
    b.open(folder / "one.html")
    b.tab()
    check(b.run("document.activeElement.closest('.skip') !== null && document.activeElement.getBoundingClientRect().left >= 0"),
          "the first stop is a link that leads past the rest, and is seen")
    b.tab()
    b.enter()
    check(b.run("location.hash") == "#all", "and it does")
    b.open(folder / "one.html")
    wanted = b.run("document.querySelectorAll('summary, a[href]').length")
    reached, marked = set(), True
    for _ in range(40 + 2 * wanted):
        b.tab()
        here = b.run("""(() => { const e = document.activeElement, all = [...document.querySelectorAll('summary, a[href]')];
          const style = getComputedStyle(e);
          return [all.indexOf(e), style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2]; })()""")
        if here[0] >= 0:
            reached.add(here[0])
            marked = marked and here[1]
    # What is in a folded case is not reached, and need not be.
    check(len(reached) == wanted, f"{len(reached)} of {wanted} links and cases are reached by Tab")
    check(marked, "where the keyboard is can be seen")
    b.run("document.querySelector('details:not([open]) summary').focus()")
    b.enter()
    check(b.run("document.activeElement.parentElement.open"), "Enter opens a case")

    # On paper nothing is folded.
    b.open(folder / "two.html")
    b.print(folder / "two.pdf")

if shutil.which("pdftotext"):
    text = subprocess.run(["pdftotext", "-layout", folder / "two.pdf", "-"], capture_output=True, text=True, check=True).stdout
    check(text.count("repeat") >= len(played) + 3, f"{text.count('repeat')} cases are on paper, of {len(played) + 3}")
    check("to all cases" not in text, "the skip links are not on paper")
