# Purpose: what installs Debian packages, scripts/install-packages and `halfopen clock build`, finds
# out what is missing, also where dpkg has never heard of it; installs just that; and says what to
# do where it cannot. With a dpkg-query, an apt-get and a sudo of the test's own, first in PATH.
import os
import pathlib
import shutil
import subprocess

from lab_helpers import HALFOPEN, check, temporary_folder

SOURCE = pathlib.Path(__file__).resolve().parents[1]
FAKES = {
    # As dpkg-query(1): it fails if it does not know one, and tells of the others all the same.
    "dpkg-query": """
status=0
for name; do
  case $name in -* | *'{'*) continue ;; esac
  case " $KNOWN " in
    *" $name "* | *' all '*) echo "installed $name" ;;
    *" -$name "*) echo "config-files $name" ;;
    *) echo "dpkg-query: no packages found matching $name" >&2; status=1 ;;
  esac
done
exit $status""",
    "apt-get": """
words="$*"
for word; do
  shift
  case $word in -o) skip=1 ;; -*) ;; *) [ -n "$skip" ] && skip= || set -- "$@" "$word" ;; esac
done
echo "$*" >>"$LOG"
[ "$1" = update ] && { printf '%s\\n' "$UPDATE_SAYS"; [ -z "$UPDATE_SAYS" ]; exit; }
printf '%s\\n' "$INSTALL_SAYS"
[ -z "$INSTALL_SAYS" ]""",
    "sudo": """
[ -z "$SUDO_WARNS" ] || echo "$SUDO_WARNS" >&2
[ -z "$SUDO_SAYS" ] || { echo "$SUDO_SAYS" >&2; exit 1; }
echo sudo >>"$LOG"
exec "$@" """,
    "sleep": "",
    # What comes after the packages: the kernel's source, unpacked.
    "tar": "echo the source is unpacked; exit 1",
}

folder = temporary_folder()
folder.chmod(0o755)
program = shutil.copy(HALFOPEN, folder / "halfopen")
(folder / "scripts").mkdir()
for name in "install-packages", "debian-packages":
    shutil.copy(SOURCE / "scripts" / name, folder / "scripts")
shutil.copy(SOURCE / "packages.txt", folder)
tools = folder / "tools"  # all that there is, but for the fakes
tools.mkdir()
for place in "/usr/bin", "/bin", "/usr/sbin":
    for tool in pathlib.Path(place).iterdir():
        if not (tools / tool.name).exists() and tool.name not in FAKES:
            (tools / tool.name).symlink_to(tool)
for name, text in FAKES.items():
    fake = folder / "fakes" / name
    fake.parent.mkdir(exist_ok=True)
    fake.write_text("#!/bin/sh" + text + "\n" if text.startswith("\n") else f"#!/bin/sh\n{text}\n")
    fake.chmod(0o755)
work = folder / "work"  # of root or of an ordinary user, whoever runs it
log = work / "log"


def sections():
    """{section: names} of packages.txt, each of its own."""
    found, names = {}, []
    for line in (SOURCE / "packages.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            names = found.setdefault(line[1:-1], [])
        elif line:
            names.append(line)
    return found


RUN = sections()["run"]
CLOCK = sections()["clock"]


class Way:
    """One of the two that install packages."""

    def __init__(self, command, packages, after):
        self.command, self.packages = command, packages
        self.after = after  # what it says when they are there

    def __call__(self, known="", root=True, without=(), **said):
        """Its exit code, what it says, and the lines of what apt-get was told."""
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        log.touch()
        fakes = folder / "these"
        shutil.rmtree(fakes, ignore_errors=True)
        shutil.copytree(folder / "fakes", fakes)
        for name in without:
            (fakes / name).unlink()
        become = []
        if not root and os.geteuid() == 0:
            become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            for path in work, log:
                os.chown(path, 65534, 65534)
        environment = {"PATH": f"{fakes}:{tools}", "HOME": str(work), "LOG": str(log), "KNOWN": known} | said
        ran = subprocess.run([*become, *self.command], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                             cwd=folder, timeout=60, env=environment)  # fmt: skip
        return ran.returncode, ran.stdout + ran.stderr, log.read_text().splitlines()


WAYS = {
    "install-packages": Way([folder / "scripts/install-packages", "run"], RUN, ""),
    "clock build": Way([program, "clock", "build"], CLOCK, "the source is unpacked"),
}
NO_NETWORK = """W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving
E: Some index files failed to download. They have been ignored, or old ones used instead."""
LOCKED = """E: Could not get lock /var/lib/apt/lists/lock. It is held by process 123 (apt-get)
E: Unable to lock directory /var/lib/apt/lists/"""

as_root = os.geteuid() == 0
for name, way in WAYS.items():
    first, *others = way.packages
    one = others[0]

    def goes_well(expected, what, **how):
        code, text, told = way(**how)
        if way.after:
            check(way.after in text, f"{name}: {what}: it does not go on: {text}")
        else:
            check(code == 0, f"{name}: {what}: exit code {code}: {text}")
        check(told == expected, f"{name}: {what}: apt-get was told {told}, not {expected}: {text}")

    def fails(words, what, **how):
        code, text, _ = way(**how)
        check(code != 0 and not (way.after and way.after in text), f"{name}: {what}: it goes on: {text}")
        for word in words:
            check(word in text, f"{name}: {what}: does not say '{word}': {text}")
        check("failed; the end of its log" not in text, f"{name}: {what}: an error in the script itself: {text}")

    def install(packages):
        return ["update", "install " + " ".join(sorted(packages))]

    goes_well([], "all are there", known="all")
    check("Setting up" not in way(known="", root=as_root, INSTALL_SAYS="Setting up flex (2.6.4-8) ...")[1],
          f"{name}: dpkg's routine is shown")  # fmt: skip
    if as_root:
        goes_well(install(way.packages), "dpkg knows none", known="")
        goes_well(install(others), "dpkg knows one", known=first)
        goes_well(install([one]), "one was removed", known=" ".join([first, *others[1:], "-" + one]))
        goes_well(install([one]), "the lists are old", known=" ".join([first, *others[1:]]), UPDATE_SAYS=NO_NETWORK)

    # Root is not needed for this: an ordinary user with sudo.
    told = [word for line in install(way.packages) for word in ("sudo", line)]
    goes_well(told, "with sudo", root=False)
    fails([f"root must install: apt-get install {' '.join(sorted(way.packages))}"], "no sudo",
          root=False, without=["sudo"])  # fmt: skip
    fails(["sudo does not let this user", "as root: apt-get update && apt-get install"], "sudo wants a password",
          root=False, SUDO_SAYS="sudo: a password is required")  # fmt: skip

    fails(["does not reach its servers"], "no network, of which sudo warns", root=False, SUDO_WARNS="sudo: unable to "
          "resolve host me: Temporary failure in name resolution", UPDATE_SAYS=NO_NETWORK, INSTALL_SAYS="E: none")  # fmt: skip

    root = as_root
    fails(["does not reach its servers", "Acquire::http::Proxy", first], "no network", root=root,
          UPDATE_SAYS=NO_NETWORK, INSTALL_SAYS=f"E: Unable to locate package {first}")  # fmt: skip
    fails([f"does not know: {' '.join(sorted([first, one]))}. ", "bookworm-security"], "unknown packages", root=root,
          INSTALL_SAYS=f"E: Unable to locate package {first}\nE: Package '{one}' has no installation candidate")  # fmt: skip
    fails(["another program is installing packages", "Try again"], "locked", root=root, UPDATE_SAYS=LOCKED,
          INSTALL_SAYS="E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 123 (dpkg)")  # fmt: skip
    fails(["E: You don't have enough free space", "could not install", "The reason is above"], "the disk is full",
          root=root, INSTALL_SAYS="E: You don't have enough free space in /var/cache/apt/archives/.")  # fmt: skip
    fails(["this is no Debian-like system"], "no Debian", root=root, without=["dpkg-query", "apt-get"])
