// Asks for two greetings, on one channel.
//
//     node client.js [OPTIONS [SECONDS]]      SECONDS: the deadline of each call
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { certificate, Greeter, grpc, options } from "./greeter.js";

const limit = process.argv[3] * 1000;
const client = new Greeter("server:50051", grpc.credentials.createSsl(certificate), options);
const greet = promisify((name, done) =>
  client.Greet({ name }, limit ? { deadline: Date.now() + limit } : {}, done));

console.log((await greet("one")).text);
await pause(500);
console.log((await greet("two")).text);
client.close();
