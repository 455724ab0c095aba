// Two pages, as the manual of axios shows it; an argument is the time limit of each in milliseconds.
import { setTimeout as pause } from "node:timers/promises";
import axios from "axios";

const limit = Number(process.argv[2]);
// `timeout` is that of the answer; `signal` ends an attempt to connect too (axios' manual, "Request Config").
const options = () => (limit ? { timeout: limit, signal: AbortSignal.timeout(limit) } : {});

process.stdout.write((await axios.get("http://server/numbers", options())).data);
await pause(1000);
process.stdout.write((await axios.get("http://server/numbers", options())).data);
