// Bodies whose chunks nobody else has: their one reader may give the memory of a chunk back before the collector finds it.

/** A body that hands each chunk to its reader and keeps nothing of it. */
export interface ExclusiveBody {
  /** Whether the object it is called on is that body, and not one made of it with another reader in between. */
  ownsItsChunks(): boolean;
}

/**
 * Whether chunks of this body are in the hands of its reader alone.
 *
 * A layer that looks at a body puts another in its place, which is not exclusive: bytes that an app may have kept are left to the collector.
 */
export function hasExclusiveChunks(body: object | null): boolean {
  return (body as Partial<ExclusiveBody> | null)?.ownsItsChunks?.() === true;
}
