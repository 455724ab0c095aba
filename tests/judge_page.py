# Purpose: a browser finds every case in the page that the judge writes, and none of it runs as a script.
import html.parser
import json
import shlex
import subprocess

from lab_helpers import HALFOPEN, check, halfopen, shutil, skip, temporary_folder

chromium = shutil.which("chromium")
if chromium is None:
    skip("chromium is not installed")

folder = temporary_folder()
hostile = r"printf '</pre></details><script>document.title=\"taken\"</script><img src=x onerror=document.title=1>\n';"
ran = halfopen("test", "--server", shlex.quote(HALFOPEN) + " serve echo --pair naive --listen 0.0.0.0", "--client",
               hostile + "echo one | " + shlex.quote(HALFOPEN) + " call echo --pair naive server", "--limit", "3",
               "--case", "exit/6", "exit/7", "connect/1", "abort/2", "--json", folder / "j.json", "--html",
               folder / "page.html")
check(ran.returncode == 1, f"exit code {ran.returncode}: {ran.stderr}")
cases = [c["id"] for c in json.loads((folder / "j.json").read_text())["pairs"][0]["cases"]]


class reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.cases, self.ids, self.links, self.tags, self.open, self.title = [], set(), [], {}, 0, ""

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.ids.add(attributes.get("id"))
        if tag == "details":
            check(self.open == 0, "a case within a case")
            self.open += 1
            self.cases.append(attributes["data-case"])
        if tag == "a":
            self.links.append(attributes["href"])

    def handle_endtag(self, tag):
        self.open -= tag == "details"

    def handle_data(self, data):
        if self.lasttag == "title" and not self.title:
            self.title = data


shown = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
                        "--dump-dom", f"file://{folder}/page.html"], capture_output=True, text=True, timeout=300,
                       stdin=subprocess.DEVNULL)
if shown.returncode != 0 or "<html" not in shown.stdout:
    skip(f"chromium cannot run here: {shown.stderr[-300:]}")
page = reader()
page.feed(shown.stdout)
check(sorted(page.cases) == sorted(cases), f"the browser finds {page.cases}, not {cases}")
check(page.tags.get("svg") == len(cases), f"a ladder a case: {page.tags}")
check(not {"script", "img", "link", "iframe", "object"} & set(page.tags), f"from elsewhere: {page.tags}")
check(page.title.endswith(": halfopen test"), f"the title is {page.title!r}")
check(len(page.links) > len(cases) and all(link[1:] in page.ids for link in page.links), f"links: {page.links}")
