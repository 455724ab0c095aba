// Puts a job into a queue of RabbitMQ for every visit. AMQP_URL may say more than the host. LIMIT: milliseconds after
// which a call has failed.
import http from 'node:http';
import { AMQPSession } from '@cloudamqp/amqp-client';

const limit = Number(process.env.LIMIT);
let queue;

function within(milliseconds, promise) {
  if (!milliseconds) return promise;
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('RabbitMQ is late')), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') {
      if (!queue) throw new Error('not connected yet');
      await within(limit, queue.publish('visit'));
      response.end('queued\n');
    } else {
      response.end('static\n');
    }
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000);

const session = await AMQPSession.connect(process.env.AMQP_URL ?? 'amqp://db', {
  ondisconnect: (error) => console.error('amqp:', error?.message),
});
queue = await session.queue('jobs');
