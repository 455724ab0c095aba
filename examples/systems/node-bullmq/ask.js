// Puts a job into the queue, and waits for its result: the worker serves nobody, so it is asked through its effect.
import { Queue, QueueEvents } from 'bullmq';

const connection = { host: 'db', retryStrategy: () => null };
const fail = (error) => { console.error(error.message); process.exit(1); };
const queue = new Queue('sums', { connection }).on('error', fail);
const events = new QueueEvents('sums', { connection }).on('error', fail);
setTimeout(() => fail(new Error('no result within 15 s')), 15000);
try {
  await events.waitUntilReady();
  const job = await queue.add('sum', { x: 1, y: 2 });
  console.log(await job.waitUntilFinished(events));
  process.exit(0);
} catch (error) {
  fail(error);
}
