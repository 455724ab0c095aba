// Counts visits in PostgreSQL. POOL_OPTIONS: pg's options as JSON, beside its defaults. CATCH=1: an error of an
// idle connection is said, and no more.
import http from 'node:http';
import pg from 'pg';

const pool = new pg.Pool({ host: 'db', user: 'postgres', ...JSON.parse(process.env.POOL_OPTIONS ?? '{}') });
if (process.env.CATCH) pool.on('error', (error) => console.error('pool:', error.message));

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') {
      await pool.query('create table if not exists visits (at timestamptz not null default now())');
      await pool.query('insert into visits default values');
      response.end('counted\n');
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
