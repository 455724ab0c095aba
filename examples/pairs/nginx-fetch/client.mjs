// Two pages on one connection; an argument is the time limit of each in seconds.
import { setTimeout as pause } from "node:timers/promises";

const limit = process.argv[2] * 1000;

async function page() {
  const reply = await fetch("https://server/", limit ? { signal: AbortSignal.timeout(limit) } : {});
  if (!reply.ok) throw new Error(`${reply.status} ${reply.statusText}`);
  process.stdout.write(await reply.text());
}

await page();
await pause(500);
await page();
