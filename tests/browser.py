"""A headless Chromium that is told what to do through its DevTools pipe: real keys, a screen of any width, paper.

The protocol is JSON messages, each ended by a zero byte, on the descriptors 3 (to the browser) and 4 (from it):
--remote-debugging-pipe, https://chromedevtools.github.io/devtools-protocol/."""

import base64
import json
import os
import shutil
import subprocess

from lab_helpers import skip, temporary_folder


class browser:
    """Skips the test where there is no Chromium, or where it cannot run."""

    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            skip("chromium is not installed")
        there, self.to = os.pipe()
        self.answers, back = os.pipe()
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{there} 4>&{back}', "sh", program, "--headless", "--no-sandbox", "--disable-gpu",
             "--remote-debugging-pipe", f"--user-data-dir={temporary_folder()}", "about:blank"],
            pass_fds=(there, back), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(there)
        os.close(back)
        self.rest, self.number, self.session = b"", 0, None
        pages = [t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        target = pages[0]["targetId"] if pages else self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _next(self):
        while b"\0" not in self.rest:
            more = os.read(self.answers, 1 << 16)
            if not more:
                skip(f"chromium cannot run here: it ended with {self.process.wait()}")
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def _write(self, message):
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]

    def ask(self, method, **what):
        """What the browser answers to a method of its protocol."""
        self.number += 1
        self._write({"id": self.number, "method": method, "params": what} |
                    ({"sessionId": self.session} if self.session else {}))
        while (answer := self._next()).get("id") != self.number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, file, width=1280, height=800, dark=False):
        """Shows the file on a screen of so many CSS pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Page.navigate", url=f"file://{file}")
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def run(self, script):
        """The value of a JavaScript expression in the page."""
        got = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"]["exception"].get("description", script))
        return got["result"].get("value")

    def press(self, key, code):
        for kind in "keyDown", "keyUp":
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def tab(self):
        self.press("Tab", 9)

    def enter(self):
        self.press("Enter", 13)

    def print(self, file):
        """The page on A4 as PDF."""
        made = self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        file.write_bytes(base64.b64decode(made["data"]))


# Every text that is shown, whose contrast with what stands behind it is too low (WCAG 2.2, 1.4.3: 4.5:1, large or
# bold text 3:1). Colours that let something through are mixed with what is below them.
LOW_CONTRAST = r"""(() => {
  const rgba = text => { const n = text.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = (top, below) => below.map((c, i) => i == 3 ? 1 : top[i] * top[3] + c * (1 - top[3]));
  const light = c => { const f = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
                       return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
  const probe = document.createElement("i"); document.body.append(probe);
  probe.style.color = "Canvas"; const paper = rgba(getComputedStyle(probe).color); probe.remove();
  const behind = e => { const all = [];
    for (let p = e; p; p = p.parentElement) all.push(rgba(getComputedStyle(p).backgroundColor));
    const fault = e.closest(".ladder-fault"), time = e.matches(".ladder-time");
    if (fault && !time) all.unshift(rgba(getComputedStyle(fault.querySelector("rect")).fill));
    return all.reverse().reduce((below, top) => over(top, below), paper); };
  const low = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()) || e.closest("title") || !e.checkVisibility()) continue;
    const style = getComputedStyle(e), below = behind(e), inSvg = e.namespaceURI.endsWith("svg");
    const colour = rgba(inSvg ? style.fill : style.color);
    for (let p = e; p; p = p.parentElement) colour[3] *= Number(getComputedStyle(p).opacity);
    const [a, b] = [light(over(colour, below)), light(below)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const needs = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if ((a + .05) / (b + .05) < needs)
      low.add(`${e.tagName}.${e.getAttribute("class")} ${((a + .05) / (b + .05)).toFixed(2)}: ${e.textContent.slice(0, 30)}`);
  }
  return [...low];
})()"""
