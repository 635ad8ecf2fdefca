// @gw/core/node: what needs Node itself. Named exports only.
export { BackOff, type BackOffOptions } from "./back-off.ts";
export { createBackends, type LocalBackends } from "./backends.ts";
export { type Bind, bindText, parseBind } from "./bind.ts";
export { type Child, type ChildExit, type ChildOptions, spawnChild } from "./child.ts";
export { type NodeContextOptions, nodeContext } from "./context.ts";
export { availableCores, type CgroupFolders, memoryLimit } from "./cores.ts";
export { type FileAnswerOptions, type FileOptions, fileAnswer, sendFile } from "./files.ts";
export { type HeldBind, holdAllBinds, holdBind } from "./held-bind.ts";
export { withoutInherited } from "./inherited-descriptors.ts";
export { type FindPythonOptions, findPython, type Interpreter } from "./interpreter.ts";
export { LineLog, type LineLogOptions } from "./line-log.ts";
export { type ListenOptions, type Listening, listen, listenAll } from "./listen.ts";
export { isListeningSocket } from "./listening-socket.ts";
export { type LogFile, logFile, reopenLogFiles } from "./log-file.ts";
export { type DescriptorWriterOptions, descriptorWriter, type LogWriter } from "./log-queue.ts";
export {
  createLogger,
  type LeveledLogger,
  type LogDestination,
  type LoggerOptions,
  type LogLevel,
  logLevels,
} from "./logger.ts";
export { countPassing, giveBack, lend } from "./passing-bytes.ts";
export { processEnvironment } from "./process-env.ts";
export { takesConnection } from "./readiness.ts";
export { type FileSpoolOptions, fileSpool } from "./spool.ts";
export type { AttachedProcess, ProcessHooks } from "./supervised-process.ts";
export { type SuperviseOptions, superviseBackend } from "./supervisor.ts";
