// All cases that need no shared memory, as one app: a field that the case itself does not see names the case.
import { toAsgi } from "@gw/asgi";
import type { Handler } from "@gw/core";
import { toWsgi, validator } from "@gw/wsgi";
import type { Case } from "../case.ts";
import * as bodies from "../cases/bodies.ts";
import * as headers from "../cases/headers.ts";
import * as paths from "../cases/paths.ts";
import * as pipeline from "../cases/pipeline.ts";
import * as status from "../cases/status.ts";

/** The field that names a case. */
export const CASE_FIELD = "X-Conformance-Case";

/** By the names of their exports. */
export const cases: ReadonlyMap<string, Case> = new Map(
  Object.entries<Case>({ ...bodies, ...headers, ...paths, ...pipeline, ...status }),
);

const handler: Handler = (request) => {
  const found = cases.get(request.headers.get(CASE_FIELD) ?? "") as Case;
  return found.handle({ ...request, headers: request.headers.without(CASE_FIELD) });
};

/** The cases in both shapes. */
export const wsgi = validator(toWsgi(handler));
export const asgi = toAsgi(handler);
