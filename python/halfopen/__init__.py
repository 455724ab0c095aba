"""A system of halfopen's, held by the reins of a test. Needs nothing but the standard library.

    import halfopen

    with halfopen.up("halfopen.toml", publish=["0:app:3000"]) as system:
        assert system.ask().served
        system.crash("db")
        assert system.ask().how in ("served", "refused")    # never hung, never wrong
        system.reboot("db")
        assert system.served_within(10)

The `halfopen` program is the one that HALFOPEN names, or the one in PATH. docs/control.md has the protocol.
"""

import base64
import contextlib
import dataclasses
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time

VERSION = 1

__all__ = ["Ask", "Error", "Executed", "System", "connect", "up", "usual_place"]


class Error(Exception):
    """What the system refused or could not do. `kind` is one of the protocol's words, such as "unknown_host"."""

    def __init__(self, kind, says):
        super().__init__(says)
        self.kind = kind


@dataclasses.dataclass(frozen=True)
class Ask:
    """What came of one ask: how is "served", "refused", "wrong" or "hung"; took is in seconds."""

    how: str
    took: float
    exit: int
    signal: int
    output: str
    errors: str
    says: str

    @property
    def served(self):
        return self.how == "served"


@dataclasses.dataclass(frozen=True)
class Executed:
    """What a command on a host did. `output` and `errors` are bytes."""

    exit: int
    signal: int
    output: bytes
    errors: bytes

    @property
    def text(self):
        return self.output.decode(errors="replace")


def usual_place(settings="halfopen.toml"):
    """Where the system of that settings file listens, unless it was told another place."""
    value = 0xCBF29CE484222325  # FNV-1a, 64 bits
    for byte in os.fsencode(os.path.realpath(settings)):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if not (folder.startswith("/") and os.path.isdir(folder) and os.access(folder, os.W_OK)):
        folder = "/tmp"
    return f"{folder}/halfopen-{os.getuid()}-{value:016x}.sock"


class System:
    """A system that is up. Every method waits until it is done; each may be called from any thread."""

    def __init__(self, place, process=None, log=None):
        self.place = str(place)
        self._process, self._log = process, log

    # What is done to a host.

    def kill(self, host):
        """SIGKILL to its programs; its kernel says goodbye for them."""
        return self.do("kill", host)

    def crash(self, host):
        """It is gone at once, and nothing answers any more."""
        return self.do("crash", host)

    def start(self, host, wait=True):
        """Its command again, until it is ready; a host that is down comes back first."""
        return self.do("start", host, wait=wait)

    def stop(self, host, wait=True):
        """SIGTERM to its programs, and SIGKILL 5 s later."""
        return self.do("stop", host, wait=wait)

    def freeze(self, host):
        """Its programs stand still, and its kernel goes on acknowledging."""
        return self.do("freeze", host)

    def thaw(self, host):
        return self.do("thaw", host)

    def reboot(self, host, wait=True):
        """It crashes, comes back without memory of its connections, and its command is started."""
        return self.do("reboot", host, wait=wait)

    def move(self, host, back=False):
        """Its name gives the address of another host with a fresh program; or its own again."""
        return self.do("move", host, *(["back"] if back else []))

    # What is done to a link, "app-db".

    def cut(self, link, after=None, sender=None):
        """Nothing gets through; at once, or after so many bytes more from `sender`."""
        return self.do("cut", link, *(["after", str(after), "bytes", "from", sender] if after else []))

    def heal(self, link):
        """All gets through again."""
        return self.do("heal", link)

    def unreachable(self, link):
        """Cut, and a router says so."""
        return self.do("unreachable", link)

    def reset(self, link):
        """Each of its connections is reset; returns how many there were."""
        return self.do("reset", link)["connections"]

    def forget(self, link, with_reset=False):
        """A middlebox has forgotten its connections; returns how many there were."""
        return self.do("forget", link, *(["with", "reset"] if with_reset else []))["connections"]

    def delay(self, link, seconds):
        """Each packet takes that much longer."""
        return self.do("delay", link, f"{round(seconds * 1000)}ms")

    def lose(self, link, share):
        """That share of its packets, 0 to 1, is lost."""
        return self.do("lose", link, f"{share:.6f}")

    def do(self, *words, wait=True):
        """Any deed by its words, as `halfopen do` takes them."""
        return self._request({"verb": "do", "words": list(words), "wait": wait})

    # Looking at it.

    def ask(self, what="probe"):
        """One ask: "probe", "health" or "other"."""
        a = self._request({"verb": "ask", "what": what})["ask"]
        return Ask(a["how"], a["took_ms"] / 1000, a["exit"], a["signal"], a["output"], a["errors"], a["says"])

    def served_within(self, seconds, what="probe"):
        """Asks until an ask is served: that ask; None if none is within that time."""
        end = time.monotonic() + seconds
        while True:
            asked = self.ask(what)
            if asked.served:
                return asked
            if time.monotonic() > end:
                return None
            time.sleep(0.1)

    def execute(self, host, *argv, input=""):
        """A command on a host, until its end."""
        said = {"output": b"", "errors": b""}

        def part(p):
            said[p["stream"]] += base64.b64decode(p["base64"])

        end = self._request({"verb": "exec", "host": host, "argv": list(argv), "input": input}, part)
        return Executed(end["exit"], end["signal"], said["output"], said["errors"])

    def state(self):
        """Hosts, links and connections, and what would hang for how long: docs/control.md."""
        return self._request({"verb": "state"})["state"]

    def port(self, host, inside):
        """Where that port of the host is published: ("127.0.0.1", 34567)."""
        for p in self.state()["published"]:
            if p["host"] == host and p["port"] == inside:
                address, _, outside = p["outside"].rpartition(":")
                return address.strip("[]"), int(outside)
        raise KeyError(f"{host}:{inside} is not published")

    @property
    def log(self):
        """What `halfopen up` has printed, if up() has started it."""
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read()

    def down(self):
        """Ends the system; returns the path of its capture, or None."""
        capture = self._request({"verb": "down"})["capture"]
        if self._process is not None:
            self._process.wait()
        return capture

    def _request(self, request, part=None):
        with contextlib.closing(self._connected()) as line:
            line.sendall(json.dumps({"version": VERSION, **request}).encode() + b"\n")
            with line.makefile("rb") as lines:
                for text in lines:
                    answer = json.loads(text)
                    if "ok" not in answer:
                        part(answer)
                    elif answer["ok"]:
                        return answer
                    else:
                        raise Error(answer["error"]["kind"], answer["error"]["says"])
        raise Error("failed", "the system ended before it answered" + ("\n" + self.log if self.log else ""))

    def _listens(self):
        """The socket's file is there a moment before somebody listens."""
        try:
            self._connected().close()
            return True
        except Error:
            return False

    def _connected(self):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(self.place)
        except OSError as e:
            line.close()
            raise Error("failed", f"no system is up at {self.place}: {e.strerror}") from e
        return line


def connect(settings="halfopen.toml", place=None):
    """A system that somebody has started with `halfopen up`: that of the settings file, or at that socket."""
    system = System(place or os.environ.get("HALFOPEN_SOCKET") or usual_place(settings))
    system._connected().close()
    return system


@contextlib.contextmanager
def up(settings="halfopen.toml", *, publish=(), capture=None, options=(), program=None, check=True):
    """Starts the system of a settings file; it ends with the block, and with this process, however that ends.

    publish: as --publish takes it, such as "0:app:3000"; capture: keep its packets there; options: more of
    `halfopen up`'s; check: raise Error if the probe is not served at the start."""
    settings = pathlib.Path(settings)
    with tempfile.TemporaryDirectory(prefix="halfopen-") as folder, tempfile.TemporaryFile("w+") as log:
        place = os.path.join(folder, "reins.sock")
        command = [program or os.environ.get("HALFOPEN", "halfopen"), "up", os.fspath(settings.resolve()), "--socket",
                   place, "--until-eof", *(["--capture", os.path.abspath(capture)] if capture else ["--no-capture"]),
                   *(word for p in publish for word in ("--publish", p)), *map(str, options)]  # fmt: skip
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                                   cwd=settings.resolve().parent)  # fmt: skip
        system = System(place, process, log)
        try:
            while not system._listens() and process.poll() is None:
                time.sleep(0.01)
            if process.poll() is not None:
                raise Error("failed", f"halfopen up ended with {process.returncode}:\n{system.log}")
            if not system.state()["steady"] and check:  # answered as soon as it is up
                raise Error("failed", f"the probe is not served:\n{system.log}")
            yield system
        finally:
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
