// Time limits of a program: the rule is core's, for programs and backends alike.
export { type DeadlineOptions, Deadlines } from "@gw/core";
