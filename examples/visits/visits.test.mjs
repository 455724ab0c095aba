// node --test examples/visits
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { HalfopenError, up } from "../../node/halfopen.mjs";

test("redis crashes and comes back", async () => {
  const system = await up(fileURLToPath(new URL("halfopen.toml", import.meta.url)), { publish: ["0:app:3000"] });
  try {
    const { outside } = (await system.state()).published[0];
    const before = Number(await (await fetch(`http://${outside}/visits`)).text());
    await system.crash("db");
    assert.equal((await system.ask()).how, "refused");
    assert.equal((await fetch(`http://${outside}/visits`)).status, 503);
    await system.reboot("db");
    assert.ok(await system.servedWithin(30_000), "it recovers by itself");
    assert.ok(Number(await (await fetch(`http://${outside}/visits`)).text()) > before, "redis has kept its file");
    const redis = await system.exec("db", "redis-cli", "get", "visits");
    assert.ok(redis.exit === 0 && Number(redis.output) > before, `${redis.output}`);
    await assert.rejects(system.crash("shop"), (e) => e instanceof HalfopenError && e.kind === "unknown_host");
  } finally {
    await system.down();
  }
});
