// A system of halfopen's, held by the reins of a test. Needs node 16 or later, and nothing else.
//
//     import { up } from "./halfopen.mjs";
//     const system = await up("halfopen.toml", { publish: ["0:app:3000"] });
//     try {
//       await system.crash("db");
//       assert.equal((await system.ask()).how, "refused");
//     } finally {
//       await system.down();
//     }
//
// The halfopen program is the one that HALFOPEN names, or the one in PATH. docs/control.md has the protocol.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { connect as dial } from "node:net";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const version = 1;

export class HalfopenError extends Error {
  constructor(kind, says) {
    super(says);
    this.kind = kind; // one of the protocol's words, such as "unknown_host"
  }
}

export class System {
  constructor(place, child) {
    this.place = place;
    this.child = child; // `halfopen up`, if up() has started it
    this.log = "";
  }

  // What is done to a host.
  kill(host) { return this.do("kill", host); }
  crash(host) { return this.do("crash", host); }
  start(host) { return this.do("start", host); }
  stop(host) { return this.do("stop", host); }
  freeze(host) { return this.do("freeze", host); }
  thaw(host) { return this.do("thaw", host); }
  reboot(host) { return this.do("reboot", host); }
  move(host, { back = false } = {}) { return this.do("move", host, ...(back ? ["back"] : [])); }

  // What is done to a link, "app-db".
  cut(link, { after, sender } = {}) {
    return this.do("cut", link, ...(after ? ["after", String(after), "bytes", "from", sender] : []));
  }
  heal(link) { return this.do("heal", link); }
  unreachable(link) { return this.do("unreachable", link); }
  reset(link) { return this.do("reset", link); }
  forget(link, { withReset = false } = {}) { return this.do("forget", link, ...(withReset ? ["with", "reset"] : [])); }
  delay(link, milliseconds) { return this.do("delay", link, `${Math.round(milliseconds)}ms`); }
  lose(link, share) { return this.do("lose", link, share.toFixed(6)); }

  do(...words) { return this.request({ verb: "do", words }); }
  // { how: "served" | "refused" | "wrong" | "hung", took_ms, exit, signal, output, errors, says }
  async ask(what = "probe") { return (await this.request({ verb: "ask", what })).ask; }
  async state() { return (await this.request({ verb: "state" })).state; }
  async exec(host, ...argv) {
    const said = { output: [], errors: [] };
    const part = (p) => said[p.stream].push(Buffer.from(p.base64, "base64"));
    const { exit, signal } = await this.request({ verb: "exec", host, argv }, part);
    return { exit, signal, output: Buffer.concat(said.output), errors: Buffer.concat(said.errors) };
  }
  // Asks until an ask is served: that one; undefined if none is within that time.
  async servedWithin(milliseconds, what = "probe") {
    for (const end = Date.now() + milliseconds; ; await sleep(100)) {
      const asked = await this.ask(what);
      if (asked.how === "served") return asked;
      if (Date.now() > end) return undefined;
    }
  }
  async down() {
    const { capture } = await this.request({ verb: "down" });
    if (this.child) await this.ended;
    return capture;
  }

  request(what, part) {
    return new Promise((resolve, reject) => {
      const line = dial(this.place, () => line.write(JSON.stringify({ version, ...what }) + "\n"));
      let got = "";
      line.setEncoding("utf8");
      line.on("error", (e) => reject(new HalfopenError("failed", `no system is up at ${this.place}: ${e.code}`)));
      line.on("close", () => reject(new HalfopenError("failed", `the system ended before it answered\n${this.log}`)));
      line.on("data", (text) => {
        const lines = (got + text).split("\n");
        got = lines.pop();
        for (const answer of lines.map((l) => JSON.parse(l))) {
          if (!("ok" in answer)) part?.(answer);
          else if (answer.ok) resolve(answer), line.end();
          else reject(new HalfopenError(answer.error.kind, answer.error.says)), line.end();
        }
      });
    });
  }
}

// The socket's file is there a moment before somebody listens.
function listens(place) {
  return new Promise((resolve) => {
    const line = dial(place, () => (line.end(), resolve(true)));
    line.on("error", () => resolve(false));
  });
}

// Starts the system of a settings file. It ends with down(), and with this process, however that ends.
export async function up(settings = "halfopen.toml", { publish = [], capture, options = [], program } = {}) {
  const file = realpathSync(settings);
  const place = join(tmpdir(), `halfopen-${process.pid}-${randomBytes(6).toString("hex")}.sock`);
  const words = ["up", file, "--socket", place, "--until-eof", ...(capture ? ["--capture", capture] : ["--no-capture"]),
                 ...publish.flatMap((p) => ["--publish", p]), ...options]; // prettier-ignore
  const child = spawn(program ?? process.env.HALFOPEN ?? "halfopen", words, { cwd: dirname(file), stdio: "pipe" });
  const system = new System(place, child);
  for (const out of [child.stdout, child.stderr]) out.on("data", (text) => (system.log += text));
  system.ended = new Promise((resolve) => child.on("close", resolve).on("error", resolve));
  system.ended.then(() => (system.over = true));
  while (!(await listens(place)) && !system.over) await sleep(10);
  if (!system.over && (await system.state()).steady) return system;
  child.stdin.end();
  await system.ended;
  throw new HalfopenError("failed", `halfopen up:\n${system.log}`);
}
