# Purpose: the manifest of a campaign for Kubernetes is a Job as its API (batch/v1) has it: every field is known there, and
# of the right type. The schema is that of Kubernetes' OpenAPI, compiled in the npm package kubernetes-models.
import copy
import json
import os
import pathlib
import shutil
import subprocess

from lab_helpers import check, skip

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")
if shutil.which("node") is None or shutil.which("npm") is None:
    skip("node is not installed")

MANIFEST = pathlib.Path(__file__).resolve().parent.parent / "packaging/campaign/kubernetes.yaml"
# The validator looks at each field that the schema has: one at which it never looked is none of them. It says nothing of
# those itself, as a server drops them without a word.
VALIDATE = r"""
const model = require.resolve("kubernetes-models/batch/v1/Job");
const { validate } = require(require("path").join(model, "../../../_schemas/IoK8sApiBatchV1Job.js"));
const seen = new Set();
const watched = (value, path) => typeof value != "object" || value === null ? value : new Proxy(value, {
  get: (object, key) => (typeof key == "string" && seen.add(`${path}/${key}`), watched(object[key], `${path}/${key}`)) });
const paths = (value, path) => typeof value != "object" || value === null ? [] :
  Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...paths(inner, `${path}/${key}`)]);
const job = JSON.parse(require("fs").readFileSync(0, "utf8"));
const wrong = validate(watched(job, "")) ? [] : validate.errors.map(e => `${e.instancePath} ${e.keyword} ${JSON.stringify(e.params)}`);
const unknown = wrong.length ? [] : paths(job, "").filter(p => !seen.has(p)).map(p => `${p} is no field of a Job`);
console.log(JSON.stringify([...wrong, ...unknown]));
"""
globally = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout.strip()
environment = os.environ | {"NODE_PATH": ":".join(p for p in (os.environ.get("NODE_PATH"), globally) if p)}


def complaints(job):
    """What is wrong with it, a line each."""
    ran = subprocess.run(["node", "-e", VALIDATE], input=json.dumps(job), capture_output=True, text=True, env=environment, timeout=60)
    if "Cannot find module 'kubernetes-models" in ran.stderr:
        skip("the schema is not there: npm install --global kubernetes-models")
    check(ran.returncode == 0, ran.stderr)
    return json.loads(ran.stdout)


job = yaml.safe_load(MANIFEST.read_text())
check((job["apiVersion"], job["kind"]) == ("batch/v1", "Job"), f"{job['apiVersion']} {job['kind']}")
check(complaints(job) == [], f"{complaints(job)}")


def with_change(change):
    other = copy.deepcopy(job)
    change(other["spec"], other["spec"]["template"]["spec"]["containers"][0])
    return complaints(other)


# What is wrong is found: a type, a word, a field that is missing, one that does not exist, deep inside too.
check(any("completions" in c for c in with_change(lambda spec, box: spec.update(completions="many"))), "a type")
check(any("completionMode" in c for c in with_change(lambda spec, box: spec.update(completionMode="indexed"))), "a word")
check(any("template" in c for c in with_change(lambda spec, box: spec.pop("template"))), "a field that is missing")
check(with_change(lambda spec, box: spec.update(backofLimit=3)) == ["/spec/backofLimit is no field of a Job"], "one that is none")
check(with_change(lambda spec, box: box["securityContext"]["capabilities"].update(addd=[]))
      == ["/spec/template/spec/containers/0/securityContext/capabilities/addd is no field of a Job"], "deep inside")
