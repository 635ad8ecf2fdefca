import { preset } from "../../tsup.preset.ts";

export default preset({ privateEntries: { main: "src/main.ts", "module-hooks": "src/modules/module-hooks.ts" } });
