// Counts visits in MariaDB. POOL_OPTIONS: mysql2's options as JSON, beside its defaults. QUERY_TIMEOUT: of each query,
// in milliseconds; after it the connection is given up, since a reply may still come.
import http from 'node:http';
import mysql from 'mysql2/promise';

const pool = mysql.createPool({ host: 'db', user: 'app', database: 'app', ...JSON.parse(process.env.POOL_OPTIONS ?? '{}') });
const timeout = Number(process.env.QUERY_TIMEOUT);

async function query(sql) {
  if (!timeout) return pool.query(sql);
  const connection = await pool.getConnection();
  try {
    const result = await connection.query({ sql, timeout });
    connection.release();
    return result;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

http.createServer(async (request, response) => {
  try {
    if (request.url === '/visits') {
      await query('create table if not exists visits (at timestamp default now())');
      await query('insert into visits values ()');
      response.end('counted\n');
    } else if (request.url === '/health') {
      await query('select 1');
      response.end('ok\n');
    } else {
      response.end('static\n');
    }
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000);
