// Counts visits in PostgreSQL. POOL_OPTIONS: pg's options as JSON, beside its defaults. CATCH=1: an error of an
// idle connection is said, and no more; and who starts before the database waits for it.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const pool = new pg.Pool({ host: 'db', user: 'postgres', ...JSON.parse(process.env.POOL_OPTIONS ?? '{}') });
const create = () => pool.query('create table if not exists visits (at timestamptz not null default now())');
if (process.env.CATCH) {
  pool.on('error', (error) => console.error('pool:', error.message));
  while (!(await create().catch(() => undefined))) await sleep(1000);
} else {
  await create();
}

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') {
      const { rowCount } = await pool.query('insert into visits default values');
      response.end(`counted ${rowCount}\n`);
    } else if (request.url === '/health') {
      await pool.query('select 1');
      response.end('ok\n');
    } else {
      response.end('static\n');
    }
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000);
