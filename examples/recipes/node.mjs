// node: what can be done without an addon. setKeepAlive() sets TCP_KEEPIDLE (node itself sets an interval of 1 s and 10
// probes), so a dead peer is noticed while the connection is idle: after idle + 10 s. TCP_USER_TIMEOUT is out of node's
// reach: with data in flight the kernel goes on for 15 minutes, unless a timer of the program's own ends it, which
// setTimeout() does here. The words come from a table of tables.py. It asks a line and reads a line.
//
//     python3 tables.py json 10 >halfopen_tables.json
//     node node.mjs halfopen_tables.json 127.0.0.1 7
import { readFileSync } from "node:fs";
import { connect } from "node:net";

const tables = JSON.parse(readFileSync(process.argv[2], "utf8"));
let phase = "connecting";
let came = "";

function ended(code, says) {
  const during = { connecting: "connect", sending: "write" }[phase] ?? "read";
  const how = code === "deadline" ? "deadline_passed" : (tables.endings[during][code] ?? "local_failure");
  console.log(`${how} while ${phase}: ${during}: ${says}`);
  process.exitCode = 1;
  socket.destroy();
}

const socket = connect(Number(process.argv[4]), process.argv[3], () => {
  socket.setKeepAlive(true, tables.idle_ms);
  socket.setTimeout(tables.within_ms, () => ended("deadline", `nothing within ${tables.within_ms} ms`));
  phase = "sending";
  socket.write("ask\n", () => { if (phase === "sending") phase = "awaiting_reply"; });
});
socket.setEncoding("utf8");
socket.on("data", (text) => {
  phase = "receiving_reply";
  came += text;
  if (came.includes("\n")) socket.end();
});
socket.on("end", () => { if (!came.includes("\n")) ended("", "end-of-file"); });
socket.on("error", (e) => ended(e.code, e.code));
