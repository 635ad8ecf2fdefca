// Files that a backend's program reads at its start: written by whoever runs it, so that a spec stays plain data.
import { chown, writeFile } from "node:fs/promises";
import type { BackendSpec } from "../model/backend.ts";
import { Room } from "./backend-room.ts";
import type { WholeSpec } from "./backend-spec.ts";

/** What an argument says to name the folder of the files. */
const FOLDER = "$GW_FILES";

/** The files of one backend. Nothing is written before the first process needs it. */
export class BackendFiles {
  readonly #spec: WholeSpec;
  readonly #room: Room;
  #written: Promise<string> | null = null;

  constructor(spec: WholeSpec) {
    this.#spec = spec;
    this.#room = new Room(spec);
  }

  /** The command, with the folder of the files where its arguments name it. @throws the system's error */
  async command(): Promise<BackendSpec["command"]> {
    const { files = {}, command } = this.#spec;
    if (Object.keys(files).length === 0) return command;
    this.#written ??= this.#write(files);
    try {
      const folder = await this.#written;
      const [program, ...args] = command;
      return [program, ...args.map((argument) => argument.replaceAll(FOLDER, folder))];
    } catch (error) {
      this.#written = null; // the next start may fare better
      throw error;
    }
  }

  /** Removes them; also done when our process exits. */
  close(): void {
    this.#room.close();
  }

  async #write(files: Readonly<Record<string, string>>): Promise<string> {
    const { uid, gid } = this.#spec;
    for (const [name, content] of Object.entries(files)) {
      const path = await this.#room.path(name);
      await writeFile(path, content, { mode: 0o600 });
      if (uid !== undefined || gid !== undefined) await chown(path, uid ?? -1, gid ?? -1);
    }
    return this.#room.folder();
  }
}
