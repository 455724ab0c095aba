// A service that counts its visits in redis: GET /visits gives the count, or 503 within a second if redis does not
// answer; GET /health says whether it does. It keeps one connection, and opens another one when that has failed.
import { createServer } from "node:http";
import { connect } from "node:net";

const [host, port] = process.argv[2].split(":");
const limit = 1000; // milliseconds, of an answer of redis and of a connection to it
let line;

function dial() {
  const socket = connect({ host, port: Number(port) });
  const waiting = []; // redis answers in order
  let got = "";
  const fail = (why) => {
    if (line === opened) line = undefined;
    socket.destroy();
    for (const w of waiting.splice(0)) w.reject(new Error(why));
  };
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    const lines = (got + text).split("\r\n");
    got = lines.pop();
    for (const answer of lines) {
      const w = waiting.shift();
      answer.startsWith("-") ? w?.reject(new Error(answer)) : w?.resolve(answer.slice(1));
    }
  });
  socket.on("error", (e) => fail(e.message));
  socket.on("close", () => fail("redis closed the connection"));
  const opened = {
    say(command) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => fail(`redis does not answer within ${limit} ms`), limit);
        const over = (then) => (value) => (clearTimeout(timer), then(value));
        waiting.push({ resolve: over(resolve), reject: over(reject) });
        socket.write(command + "\r\n"); // an inline command: redis.io/docs/latest/develop/reference/protocol-spec
      });
    },
  };
  return opened;
}

const answers = { "/visits": () => (line ??= dial()).say("INCR visits"), "/health": () => (line ??= dial()).say("PING") };

createServer(async (request, response) => {
  try {
    const answer = answers[request.url];
    if (!answer) return response.writeHead(404).end();
    response.end((await answer()) + "\n");
  } catch (e) {
    response.writeHead(503).end(e.message + "\n");
  }
}).listen(3000, "0.0.0.0");
