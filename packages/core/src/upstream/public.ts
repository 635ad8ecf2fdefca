// The public names of the upstream rules, for the package's entry.
export { parseUpstreamAddress, upstreamAddressText } from "./address.ts";
export { type ClientTurn, type DeadlineOptions, Deadlines, type Lateness } from "./deadlines.ts";
export { UpstreamGroup, type UpstreamGroupOptions, type UpstreamLease } from "./group.ts";
export { Health, type HealthOptions } from "./health.ts";
export { mayRetry } from "./retry.ts";
export { WaitQueue, type WaitQueueOptions } from "./wait-queue.ts";
