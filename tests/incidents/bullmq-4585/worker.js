// A worker of the BullMQ that is named in BULLMQ. It has no other settings than BullMQ's own.
const { Worker } = await import(process.env.BULLMQ);

const worker = new Worker('sums', async (job) => job.data.x + job.data.y, { connection: { host: 'db' } });
worker.on('error', (error) => console.error('worker:', error.message));
worker.on('ready', () => console.log('ready'));
