// Counts visits in Redis. REDIS_OPTIONS: ioredis' options as JSON, beside its defaults.
import http from 'node:http';
import { Redis } from 'ioredis';

const redis = new Redis({ host: 'db', ...JSON.parse(process.env.REDIS_OPTIONS ?? '{}') });
redis.on('error', (error) => console.error('redis:', error.message));

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') response.end(`visits ${await redis.incr('visits')}\n`);
    else if (request.url === '/health') response.end(`${await redis.ping()}\n`);
    else response.end('static\n');
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000);
