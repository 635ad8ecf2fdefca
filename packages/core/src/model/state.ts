// Typed values that layers hand to the layers and apps inside them.

/** The name of a state value and its type. Keys are equal when their names are, so two installed copies agree. */
export interface StateKey<T> {
  /** Unique name, such as `"gw.session"`. */
  readonly name: string;
  /** Carries the type; never present. */
  readonly type?: T;
}

/** Makes a key. Choose a name with a prefix of your own, such as `"acme.tenant"`. */
export function stateKey<T>(name: string): StateKey<T> {
  return { name };
}

/**
 * Values that layers attached to a request. Immutable, like the request:
 * `{ ...request, state: request.state.with(key, value) }`.
 */
export interface RequestState {
  /** The value of a key, or `undefined`. */
  get<T>(key: StateKey<T>): T | undefined;
  /** A state that also holds this value. */
  with<T>(key: StateKey<T>, value: T): RequestState;
}

class StateNode implements RequestState {
  readonly #name: string;
  readonly #value: unknown;
  readonly #rest: StateNode | null;

  constructor(name: string, value: unknown, rest: StateNode | null) {
    this.#name = name;
    this.#value = value;
    this.#rest = rest;
  }

  get<T>(key: StateKey<T>): T | undefined {
    for (let node: StateNode | null = this; node !== null; node = node.#rest) {
      if (node.#name === key.name) return node.#value as T;
    }
    return undefined;
  }

  with<T>(key: StateKey<T>, value: T): RequestState {
    return new StateNode(key.name, value, this);
  }
}

/** The state of a request that no layer has touched. */
export const emptyState: RequestState = new StateNode("", undefined, null);
