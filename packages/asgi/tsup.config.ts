import { preset } from "../../tsup.preset.ts";

export default preset({ privateEntries: { "asgi-thread": "src/adapters/asgi-thread.ts" } });
