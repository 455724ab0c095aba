// Two pages, as the manual of undici shows it; an argument is the time limit of each step in milliseconds.
import { setTimeout as pause } from "node:timers/promises";
import { Agent, request, setGlobalDispatcher } from "undici";

const limit = Number(process.argv[2]);
if (limit) setGlobalDispatcher(new Agent({ connect: { timeout: limit }, headersTimeout: limit, bodyTimeout: limit }));

async function page() {
  const { statusCode, body } = await request("http://server/numbers");
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  process.stdout.write(await body.text());
}

await page();
await pause(1000);
await page();
