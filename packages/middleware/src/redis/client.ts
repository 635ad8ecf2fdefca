// What we ask of a Redis or Valkey client: `ioredis`, `redis` (node-redis), or a function that sends a command.

/** A command and its arguments as texts; gives the reply. For clients of other shapes. */
export type RedisSend = (args: readonly string[]) => Promise<unknown>;

/** What both kinds of clients have beside their commands, as far as we use it. */
interface RedisLife {
  /** Called at start for a client that is not connected; it is then ours to close. */
  connect?(): Promise<unknown>;
  /** Ends the connection after what is under way (node-redis). */
  close?(): unknown;
  /** The same (ioredis). */
  quit?(): Promise<unknown>;
  /** Ends the connection at once (node-redis). */
  destroy?(): void;
  /** The same (ioredis). */
  disconnect?(): unknown;
  on?(event: "error" | "ready", listener: (error: Error) => void): unknown;
}

/** A client of `ioredis`. */
export interface IoredisClient extends RedisLife {
  call(command: string, args: string[]): Promise<unknown>;
  readonly status?: string;
}

/** A client of `redis` (node-redis), made by `createClient`. */
export interface NodeRedisClient extends RedisLife {
  sendCommand(args: readonly string[]): Promise<unknown>;
  readonly isOpen?: boolean;
  readonly isReady?: boolean;
}

/** A client of yours for Redis or Valkey; we depend on none. */
export type RedisClient = IoredisClient | NodeRedisClient | RedisSend;

/** A client that has a connection of its own, as far as we know. */
export type ConnectedClient = Exclude<RedisClient, RedisSend>;

/** Sends commands through a client of any shape. */
export function sendThrough(client: RedisClient): RedisSend {
  if (typeof client === "function") return client;
  // ioredis has a `sendCommand`, too, which takes something else.
  if ("call" in client) return ([command, ...args]) => client.call(command as string, args);
  return (args) => client.sendCommand(args);
}

/** Whether a connection stands; a client that does not tell counts as connected. */
export function isReady(client: RedisClient): boolean {
  if (typeof client === "function") return true;
  if ("call" in client) return client.status === undefined || client.status === "ready";
  return client.isReady !== false;
}

/** Whether nobody has connected the client yet, or it was closed. */
export function isIdle(client: ConnectedClient): boolean {
  if ("call" in client) return client.status === "wait" || client.status === "end";
  return client.isOpen === false;
}

/** Ends the connection: after what is under way, or at once. */
export async function closeClient(client: ConnectedClient, isHurried: boolean): Promise<void> {
  if (isHurried) return void (client.destroy === undefined ? client.disconnect?.() : client.destroy());
  await (client.close === undefined ? client.quit?.() : client.close());
}
