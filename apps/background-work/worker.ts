// Sends the mails, in a process of its own: `node worker.ts`. Run as many as there is work for.
import { appendFile } from "node:fs/promises";
import { type Job, Worker } from "bullmq";
import { type Mail, QUEUE, redis } from "./queue.ts";

async function send({ data }: Job<Mail>): Promise<void> {
  const { OUTBOX = "outbox.txt", MAIL_MS = "0" } = process.env;
  console.log(`sending ${data.order}`);
  await new Promise((resolve) => setTimeout(resolve, Number(MAIL_MS)));
  await appendFile(OUTBOX, `${data.order} ${data.to}\n`);
}

// A worker that dies holds its job for `lockDuration`; then another takes it up.
const lockMs = Number(process.env.LOCK_MS ?? 30_000);
const worker = new Worker<Mail>(QUEUE, send, {
  connection: redis(),
  concurrency: 10,
  lockDuration: lockMs,
  stalledInterval: lockMs,
});
worker.on("failed", (job, error) => console.error(`mail ${job?.data.order}: ${error.message}`));
worker.on("error", (error) => console.error(error.message));
await worker.waitUntilReady();
console.log("ready");

// Finishes what it has begun; what waits stays in Redis.
process.once("SIGTERM", () => void worker.close());
