// Puts a job into the queue, and waits for its answer: the worker serves nobody, so it is asked through its effect.
import { AMQPClient } from 'amqp-client-4.1.1';

const fail = (error) => { console.error(error.message); process.exit(1); };
setTimeout(() => fail(new Error('no answer within 15 s')), 15000);
const client = new AMQPClient('amqp://db');
client.onerror = fail;
try {
  const channel = await (await client.connect()).channel();
  const { name } = await channel.queueDeclare('', { exclusive: true });
  await channel.basicConsume(name, { noAck: true }, (answer) => {
    console.log(answer.bodyString());
    process.exit(0);
  });
  await channel.queueDeclare('jobs', { durable: false, autoDelete: false });
  await channel.basicPublish('', 'jobs', 'a job', { replyTo: name });
} catch (error) {
  fail(error);
}
