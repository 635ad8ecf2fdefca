// Who the request is from, as decided by a layer.

/**
 * The user a layer has established. Text, not byte strings.
 *
 * The only source of `REMOTE_USER` and `AUTH_TYPE` (R-C6).
 */
export interface Principal {
  /** Name of the user: `REMOTE_USER`. */
  readonly user: string;
  /** How it was established: `AUTH_TYPE`, such as `"Basic"` or `"form"`. */
  readonly type: string;
  /** Groups the user is in. */
  readonly groups: readonly string[];
  /** Further facts about the user, such as `email`. */
  readonly claims: Readonly<Record<string, unknown>>;
}
