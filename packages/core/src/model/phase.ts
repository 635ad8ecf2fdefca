// What an exchange waits for behind its layers, for whoever watches.

/** `"queue"`: for a place at a backend; `"spawn"`: for a program to be started; `"connect"`: for a connection to a backend. */
export type Phase = "queue" | "spawn" | "connect";

/** Told when a phase is over, with the error it ended in, if it did. */
export type PhaseEnd = (error?: unknown) => void;

/** Told when a phase begins. */
export type PhaseWatcher = (phase: Phase) => PhaseEnd;
