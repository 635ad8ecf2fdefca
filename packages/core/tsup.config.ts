import { preset } from "../../tsup.preset.ts";

export default preset({ base: "src/index.ts" });
