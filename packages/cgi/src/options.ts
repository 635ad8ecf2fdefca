// What can be set for programs, one by one or by the directory.
import type { SpoolStore } from "@gw/core";
import type { Spawner } from "./broker/spawner.ts";
import type { InheritOptions } from "./inherit.ts";
import type { Launcher } from "./launcher.ts";
import type { PrivilegeOptions } from "./privileges.ts";
import type { ProgramRunOptions } from "./program-run.ts";
import type { SlotOptions } from "./slots.ts";

/** How programs are run: what they see, how many, how long, as whom. */
export interface ProgramOptions extends InheritOptions, SlotOptions, ProgramRunOptions, PrivilegeOptions {
  /** Working directory of the program; relative: to the gateway's. @default the directory it lies in (RFC 3875 §7.2) */
  cwd?: string;
  /** `DOCUMENT_ROOT`, made absolute; a path after the program's is then also given as `PATH_TRANSLATED` (§4.1.6). @default none */
  documentRoot?: string;
  /**
   * Whether programs may write a whole HTTP head themselves (`cgiBin`: those whose name starts with `nph-`). It is
   * read and sent by us all the same (R-C11). @default false
   */
  nph?: boolean;
  /** Whether the client's `Authorization` reaches the program: it then sees passwords (R-C6). @default false */
  authorization?: boolean;
  /** Whether the words of a query without `=` become arguments (§4.4); unsafe words never do (R-C4). @default false */
  queryArguments?: boolean;
  /** Where request bodies of unknown length wait once they are larger than 64 KiB (R-C7). @default temporary files */
  spool?: SpoolStore;
  /** Who starts processes. @default "auto": a Python process beside ours if there is a Python, else a Node process */
  spawner?: Spawner;
  /** Another way to start processes, instead of `spawner`. */
  launcher?: Launcher;
}
