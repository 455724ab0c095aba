"""The recipes for CI servers, as far as a shell goes: what a runner would run is run, with its variables."""

import os
import pathlib
import shutil
import subprocess
import sys

from lab_helpers import HALFOPEN, check, skip, temporary_folder

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")

ROOT = pathlib.Path(__file__).resolve().parent.parent
folder = temporary_folder()
pair = (f"--server 'exec {HALFOPEN} serve echo --listen 0.0.0.0' --client 'echo one | {HALFOPEN} call echo server' "
        "--clock real --case connect/1 shutdown/1")
naive = pair.replace("serve echo", "serve echo --pair naive").replace("call echo", "call echo --pair naive")
installed = folder / "bin"  # where the packages put it
installed.mkdir()
(installed / "halfopen").symlink_to(HALFOPEN)
path = {"PATH": f"{installed}:{os.environ['PATH']}"}


def run(script, where, **variables):
    return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=where, text=True,
                          capture_output=True, env=os.environ | path | variables)


def reports_of(where):
    names = {p.name for p in where.iterdir()}
    check({"results.json", "junit.xml", "report.html", "summary.md", "annotations.txt", "badge.svg", "evidence"} <= names,
          names)
    return where


# GitHub: the steps of the composite action, with what the runner would put in their environment.
action = yaml.safe_load((ROOT / "action.yml").read_text())
defaults = {name: str(one["default"]) for name, one in action["inputs"].items()}
install, judge, keep = action["runs"]["steps"]
check(keep["uses"].startswith("actions/upload-artifact@") and keep["if"] == "always()", keep)


def step(one, where, inputs, **variables):
    given = {}
    for name, value in one["env"].items():
        wanted = value.removeprefix("${{ inputs.").removesuffix(" }}")
        check(wanted in defaults, f"{name}: {value}")
        given[name] = (defaults | inputs)[wanted]
    return run(one["run"], where, GITHUB_ACTIONS="true", GITHUB_ACTION_PATH=str(ROOT), **given, **variables)


doctor = step(install, folder, {})
check(doctor.returncode == 0, f"{doctor.stdout}{doctor.stderr}")
for options, code in ((pair, 0), (naive.replace("connect/1", "exit/7 exit/6"), 1)):
    summary = folder / f"step-summary-{code}"
    ran = step(judge, folder, {"options": options, "reports": f"github-{code}"}, GITHUB_STEP_SUMMARY=str(summary))
    check(ran.returncode == code, f"{ran.returncode}: {ran.stdout}{ran.stderr}")
    reports_of(folder / f"github-{code}")
    check("### halfopen: " in summary.read_text(), summary.read_text())
    check(("::error title=" in ran.stdout) == (code == 1), ran.stdout)
    check((folder / f"github-{code}" / "badge.svg").read_text().startswith("<svg"), "a badge")
for inconclusive, code in (("fail", 4), ("pass", 0)):
    ran = step(judge, folder, {"options": pair + " --without-fault", "reports": "github-4", "inconclusive": inconclusive})
    check(ran.returncode == code, f"{inconclusive}: {ran.returncode}: {ran.stdout}{ran.stderr}")

# GitLab, and Jenkins, whose file is no YAML: its one command.
installed_at = "/usr/share/halfopen/ci/judge"
job = yaml.safe_load((ROOT / "packaging/ci/gitlab-ci.yml").read_text())["halfopen"]
(command,) = job["script"]
ran = run(command.replace(installed_at, str(ROOT / "packaging/ci/judge")), folder, HALFOPEN_OPTIONS=pair)
check(ran.returncode == 0, f"{ran.stdout}{ran.stderr}")
check((folder / job["artifacts"]["reports"]["junit"]).exists(), "GitLab's report")
reports_of(folder / "halfopen-reports")

lines = (ROOT / "packaging/ci/Jenkinsfile").read_text().splitlines()
(command,) = [line.split("'")[1] for line in lines if line.strip().startswith("sh '")]
shutil.rmtree(folder / "halfopen-reports")
words = {key: value for key, value in (("server", f"exec {HALFOPEN} serve echo --listen 0.0.0.0"),
                                       ("client", f"echo one | {HALFOPEN} call echo server"), ("clock", "real"))}
(folder / "halfopen.toml").write_text(
    "".join(f'{key} = "{value}"\n' for key, value in words.items()) + 'case = ["connect/1"]\n')
ran = run(command.replace(installed_at, str(ROOT / "packaging/ci/judge")), folder)
check(ran.returncode == 0, f"{ran.stdout}{ran.stderr}")
reports_of(folder / "halfopen-reports")
print("action.yml, GitLab's job and Jenkins' pipeline: their commands ran", file=sys.stderr)
