# Purpose: the page of a system shows, on a wide and on a narrow screen, who was served when: of a service that comes
# back, of one that never does, and of one whose health endpoint lies.
import json
import shutil
import subprocess

from lab_helpers import check, halfopen, skip, temporary_folder
from planted import settings

chromium = shutil.which("chromium")
if chromium is None:
    skip("chromium is not installed")
folder = temporary_folder()
PLAYED = [("Right", "outage/1"), ("NeverReconnects", "outage/1"), ("AlwaysHealthy", "outage/12")]
for name, case in PLAYED:
    ran = halfopen("test", "--settings", settings("service", name), "--name", name, "--clock", "real", "--limit", 3,
                   "--recover", 2, "--case", case, "--json", folder / f"{name}.json", timeout=300)
    check((folder / f"{name}.json").exists(), f"{name}: {ran.returncode}: {ran.stdout}{ran.stderr}")
files = [folder / f"{name}.json" for name, _ in PLAYED]
halfopen("report", "merge", *files, "--html", folder / "page.html")
reported = [json.loads(file.read_text())["pairs"][0]["cases"][0] for file in files]


def asked(name, what):
    """How those asks ended, in the order of their ends: while the store was away, and since it was back."""
    r = next(r for (played, _), r in zip(PLAYED, reported) if played == name)
    asks = [(ask["at_ms"], ask["how"]) for ask in r["asks"] if ask["what"] == what and ask["at_ms"] > 0]
    return [how for at, how in asks if at < r["back_after_ms"]], [how for at, how in asks if at > r["back_after_ms"]]


# What is shown is what was seen, whatever a busy machine lets be said of it.
check("served" in asked("Right", "probe")[1], "one that is right comes back")
check("served" not in asked("NeverReconnects", "probe")[1], "one that never connects again does not")
check("served" not in asked("AlwaysHealthy", "probe")[0] and "served" in asked("AlwaysHealthy", "health")[0],
      "one that lies says yes while nobody is served")

# Chromium's own window is never narrow; a frame in it may be.
LOOK = """<script>
function read(svg) {
  const marks = [...svg.querySelectorAll("title")].map(t => t.textContent).filter(t => t.startsWith("asked "));
  return {words: marks, texts: [...svg.querySelectorAll("text")].map(t => t.textContent)};
}
onload = () => {
  const inside = document.querySelector("iframe").contentWindow, page = inside.document, seen = [];
  for (const d of page.querySelectorAll("details")) d.open = true;
  const inOrder = [...page.querySelectorAll("details")].sort((a, b) => a.id.localeCompare(b.id, "en", {numeric: true}));
  for (const d of inOrder) {  // the worst come first on the page
    const svg = d.querySelector("svg.timeline[role=img]"), box = svg.getBoundingClientRect();
    seen.push({left: box.left, right: box.right, ...read(svg)});
  }
  document.title = JSON.stringify({width: inside.innerWidth, needs: page.documentElement.scrollWidth, seen});
};
</script>"""


def shown(width):
    """What a browser makes of the page where it has so many pixels."""
    frame = folder / "frame.html"
    frame.write_text(f"<!DOCTYPE html>{LOOK}<iframe src='page.html' style='border:0;width:{width}px;height:2000px'></iframe>")
    ran = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
                          "--window-size=1400,2100", f"--user-data-dir={folder}/profile", "--dump-dom", f"file://{frame}"],
                         capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    if ran.returncode != 0 or "<html" not in ran.stdout:
        skip(f"chromium cannot run here: {ran.stderr[-300:]}")
    title = ran.stdout.partition("<title>")[2].partition("</title>")[0]
    check(title.startswith("{"), f"{width} pixels: the page was not looked at: {ran.stdout[:300]}")
    return json.loads(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


for width in 1280, 390:
    page = shown(width)
    check(page["width"] == width, f"{page['width']} pixels, not {width}")
    check(page["needs"] <= width, f"the page needs {page['needs']} pixels, and has {width}")
    check(len(page["seen"]) == len(PLAYED), f"{width} pixels: {len(page['seen'])} timelines")
    for (name, _), seen, r in zip(PLAYED, page["seen"], reported):
        where = f"{name}, {width} pixels"
        check(0 <= seen["left"] < seen["right"] <= width, f"{where}: from {seen['left']} to {seen['right']}")
        check(len(seen["words"]) == len(r["asks"]), f"{where}: {len(seen['words'])} marks of {len(r['asks'])} asks")
        check({"probe", "health", "other"} <= set(seen["texts"]), f"{where}: {seen['texts']}")
        check(any("store is back after" in text for text in seen["texts"]), f"{where}: {seen['texts']}")
        for how in {ask["how"] for ask in r["asks"]} - {"cut short"}:
            check(any(f": {how} after " in words for words in seen["words"]), f"{where}: no ask is shown as {how}")
