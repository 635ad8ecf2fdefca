// The house rules: `npm run house`, or `npm run house -- packages/http` for the findings in one folder.
// Each rule lives in scripts/house/ with a test that shows it can fail.
import { checkArrows } from "./house/arrows.ts";
import { checkCycles } from "./house/cycles.ts";
import { checkDocstrings } from "./house/docstrings.ts";
import { checkReadmes, checkWhere } from "./house/documents.ts";
import { checkErrorCodes } from "./house/error-codes.ts";
import { checkFiles } from "./house/files.ts";
import { checkModules } from "./house/modules.ts";
import { type Finding, openRepository, type Repository } from "./house/repository.ts";

const rules: Readonly<Record<string, (repository: Repository) => Finding[]>> = {
  arrows: checkArrows,
  cycles: checkCycles,
  files: checkFiles,
  modules: checkModules,
  docstrings: checkDocstrings,
  readmes: checkReadmes,
  where: checkWhere,
  "error codes": checkErrorCodes,
};

const repository = openRepository(process.cwd());
const folders = process.argv.slice(2);
let count = 0;
for (const [name, check] of Object.entries(rules)) {
  for (const { file, line, message } of check(repository)) {
    if (folders.length > 0 && !folders.some((folder) => file.startsWith(folder))) continue;
    console.error(`${file}:${line}  ${name}: ${message}`);
    count += 1;
  }
}
if (count > 0) {
  console.error(`house: ${count} findings`);
  process.exitCode = 1;
} else {
  console.log(`house: ${Object.keys(rules).length} rules hold for ${repository.packages.length} packages`);
}
