// The public names of the faces, for the package's entry.
export {
  type FetchEnvironment,
  type FetchExecution,
  type FetchFunction,
  type FetchSource,
  fromFetch,
} from "./from-fetch.ts";
export { type FetchHandler, type ToFetchOptions, toFetch } from "./to-fetch.ts";
