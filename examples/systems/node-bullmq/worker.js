// A worker of BullMQ: adds two numbers. REDIS_OPTIONS: ioredis' options as JSON, beside BullMQ's defaults.
import { Worker } from 'bullmq';

const connection = { host: 'db', ...JSON.parse(process.env.REDIS_OPTIONS ?? '{}') };
const worker = new Worker('sums', async (job) => job.data.x + job.data.y, { connection });
worker.on('error', (error) => console.error('worker:', error.message));
worker.on('ready', () => console.log('ready'));
