// Counts visits in Redis. REDIS_OPTIONS: node-redis' options as JSON, beside its defaults.
import http from 'node:http';
import { createClient } from 'redis';

const options = JSON.parse(process.env.REDIS_OPTIONS ?? '{}');
const client = createClient({ ...options, socket: { host: 'db', ...options.socket } });
client.on('error', (error) => console.error('redis:', error.message));
client.connect().catch((error) => console.error('redis:', error.message));

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') response.end(`visits ${await client.incr('visits')}\n`);
    else if (request.url === '/health') response.end(`${await client.ping()}\n`);
    else response.end('static\n');
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000);
