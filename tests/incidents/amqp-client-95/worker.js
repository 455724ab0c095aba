// A worker that takes jobs from a queue and answers them, with the amqp-client.js that is named in CLIENT. It asks for
// heartbeats, and connects again when its connection is lost.
import { setTimeout as sleep } from 'node:timers/promises';

const { AMQPClient } = await import(process.env.CLIENT);

async function work() {
  const client = new AMQPClient('amqp://db?heartbeat=10');
  const lost = new Promise((resolve) => { client.onerror = resolve; client.ondisconnect = resolve; });
  const channel = await (await client.connect()).channel();
  await channel.queueDeclare('jobs', { durable: false, autoDelete: false });
  await channel.basicConsume('jobs', { noAck: true }, (job) =>
    channel.basicPublish('', job.properties.replyTo, `done ${job.bodyString()}`).catch(console.error));
  console.log('ready');
  console.error('lost:', (await lost)?.message);
}

for (;;) {
  await work().catch((error) => console.error('worker:', error.message));
  await sleep(1000);
}
