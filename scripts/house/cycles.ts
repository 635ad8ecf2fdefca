// Import cycles between files: of values (they break loading) and of types (they knot concepts together).
import { importsOf, resolveImport } from "./imports.ts";
import { type Finding, packageSources, type Repository } from "./repository.ts";

type Graph = ReadonlyMap<string, readonly string[]>;

/** Finds every group of files that import each other in a circle, and shows one circle of each. */
export function checkCycles(repository: Repository): Finding[] {
  const values = circlesOf(graphOf(repository, false));
  const known = new Set(values.flat());
  const types = circlesOf(graphOf(repository, true)).filter((circle) => !circle.every((file) => known.has(file)));
  return [...values.map((circle) => describe(circle, "values")), ...types.map((circle) => describe(circle, "types"))];
}

function graphOf(repository: Repository, withTypes: boolean): Graph {
  return new Map(
    packageSources(repository).map((file) => {
      const kept = importsOf(file).filter((one) => withTypes || !(one.isTypeOnly || one.isDeferred));
      return [file.path, kept.flatMap(({ specifier }) => resolveImport(repository, file.path, specifier) ?? [])];
    }),
  );
}

function describe(circle: readonly string[], kind: string): Finding {
  const [file = ""] = circle;
  const path = [...circle, file].join(" → ");
  return { file, line: 1, message: `import cycle of ${kind}: ${path}; move what both need into a file of its own` };
}

/** One circle for each strongly connected group. */
function circlesOf(graph: Graph): string[][] {
  const circles: string[][] = [];
  const seen = new Set<string>();
  for (const start of graph.keys()) {
    if (seen.has(start)) continue;
    const circle = shortestCircle(graph, start);
    if (circle === null) continue;
    for (const file of reachable(graph, start)) if (reachable(graph, file).has(start)) seen.add(file);
    circles.push(circle);
  }
  return circles;
}

function shortestCircle(graph: Graph, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return pathBack(cameFrom, start, file);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return null;
}

function pathBack(cameFrom: ReadonlyMap<string, string>, start: string, last: string): string[] {
  const path = [last];
  for (let file = last; file !== start; ) {
    file = cameFrom.get(file) ?? start;
    path.unshift(file);
  }
  return path;
}

function reachable(graph: Graph, start: string): Set<string> {
  const found = new Set<string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      queue.push(next);
    }
  }
  return found;
}
