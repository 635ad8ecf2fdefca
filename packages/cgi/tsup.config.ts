import { preset } from "../../tsup.preset.ts";

export default preset({ privateEntries: { "node-helper": "src/broker/node-helper.ts" } });
