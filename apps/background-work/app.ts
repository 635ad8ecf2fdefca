// Takes orders: answers at once, counts them after the answer, and has mails sent by workers of their own.
import { type App, afterResponse, gateway, json, readJson } from "@gw/core";
import { Queue } from "bullmq";
import { type Mail, QUEUE, redis } from "./queue.ts";

function orders(): App {
  let mails: Queue<Mail> | null = null;
  let count = 0;
  return {
    async start({ log }) {
      mails = new Queue<Mail>(QUEUE, {
        connection: redis(),
        defaultJobOptions: { attempts: 5, removeOnComplete: 1_000 },
      });
      mails.on("error", (error) => log.warn({ err: error }, "Redis"));
      await mails.waitUntilReady();
    },
    stop: () => mails?.close(),
    async handle(request) {
      if (request.kind !== "http") return json({ error: "no sockets here" }, { status: 400 });
      if (request.method !== "POST") return json({ count });
      const { to } = (await readJson(request)) as { to: string };
      const order = ++count;
      // Lost if this process dies: fine for a line in the log, and for nothing that somebody waits for.
      afterResponse(request, () => request.exchange.log.info({ order }, "an order was answered"));
      // In Redis before the client hears of it: not lost. The id keeps a repeated request from sending two mails.
      await mails?.add("confirmation", { to, order }, { jobId: `order-${order}` });
      return json({ order }, { status: 202 });
    },
  };
}

export default gateway().mount("/orders", orders());
