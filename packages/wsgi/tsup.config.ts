import { preset } from "../../tsup.preset.ts";

export default preset({ privateEntries: { thread: "src/threads/thread.ts" } });
