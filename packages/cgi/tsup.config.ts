import { preset } from "../../tsup.preset.ts";

export default preset({ base: "src/program.ts", privateEntries: { "node-helper": "src/broker/node-helper.ts" } });
