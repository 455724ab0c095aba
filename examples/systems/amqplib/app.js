// Puts a job into a queue of RabbitMQ for every visit. AMQP_URL may say more than the host. RECONNECT=1: a connection
// that ends is replaced by the next ask, and a call that takes longer than 3 s has failed.
import http from 'node:http';
import amqp from 'amqplib';

const url = process.env.AMQP_URL ?? 'amqp://db';
const careful = process.env.RECONNECT === '1';
let opened;

async function open() {
  const connection = await amqp.connect(url, { timeout: careful ? 2000 : undefined });
  if (careful) {
    connection.on('error', (error) => console.error('amqp:', error.message));
    connection.on('close', () => { opened = undefined; });
  }
  const channel = await connection.createConfirmChannel();
  if (careful) channel.on('error', (error) => console.error('channel:', error.message));
  await channel.assertQueue('jobs');
  return { connection, channel };
}

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('RabbitMQ is late')), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function put() {
  const mine = (opened ??= open());
  const job = mine.then(({ channel }) => {
    channel.sendToQueue('jobs', Buffer.from('visit'));
    return channel.waitForConfirms();
  });
  if (!careful) return job;
  try {
    await within(3000, job);
  } catch (error) {
    job.catch(() => {});
    if (opened === mine) opened = undefined;
    mine.then(({ connection }) => connection.connection.stream.destroy(), () => {});
    throw error;
  }
}

if (!careful) await (opened = open());

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') {
      await put();
      response.end('queued\n');
    } else {
      response.end('static\n');
    }
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000);
