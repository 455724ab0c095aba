// Two jobs are put into beanstalkd, with jackd as its manual shows it. It has no time limit to be set.
import { setTimeout as pause } from "node:timers/promises";
import Jackd from "jackd";

const client = new Jackd();
await client.connect({ host: "server", port: 11300 });
console.log(await client.put("one"));
await pause(1000);
console.log(await client.put("two"));
await client.quit();
