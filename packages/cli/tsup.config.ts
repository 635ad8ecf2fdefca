import { preset } from "../../tsup.preset.ts";

export default preset({
  privateEntries: {
    main: "src/main.ts",
    run: "src/run.ts",
    print: "src/print.ts",
    "module-hooks": "src/modules/module-hooks.ts",
    "thread-loader": "src/modules/thread-loader.ts",
  },
  base: "src/run.ts",
  // main waits at its top level: what is loaded meanwhile must not need it. The hooks may run in a thread of their own.
  apart: ["index", "main", "module-hooks"],
});
