// Two pages, as the manual of got shows it; an argument is the time limit of each in milliseconds, and no repetition.
import { setTimeout as pause } from "node:timers/promises";
import got from "got";

const limit = Number(process.argv[2]);
const options = limit ? { timeout: { request: limit }, retry: { limit: 0 } } : {};

process.stdout.write(await got("http://server/numbers", options).text());
await pause(1000);
process.stdout.write(await got("http://server/numbers", options).text());
