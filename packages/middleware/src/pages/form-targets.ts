// Origins to which forms of our own pages lead in the end: browsers hold a form's redirects to form-action, too.
import { type StateKey, stateKey } from "@gw/core";

/** Left on the request by layers whose logout goes on at another site. */
export const formTargets: StateKey<readonly string[]> = stateKey("gw.form-targets");
