// PUT, PATCH and DELETE for clients that can only post, such as HTML forms.
import { andThen, type GatewayRequest, layer, type MaybePromise, type Middleware } from "@gw/core";
import { bufferedForm } from "./forms/buffered-form.ts";

/** Settings of `methodOverride`. */
export interface MethodOverrideOptions {
  /** Field of a urlencoded form that names the method; `false`: forms are not read. @default "_method" */
  field?: string | false;
  /** Header that names the method; `false`: none. @default "X-HTTP-Method-Override" */
  header?: string | false;
  /** Methods that may be asked for, upper case. @default ["PUT", "PATCH", "DELETE"] */
  methods?: readonly string[];
}

/**
 * Gives a POST the method that its header, or else its form, asks for.
 *
 * Only a POST is changed, so nothing that a browser takes for safe becomes a change. The app still gets the whole form.
 * Put it inside of `csrf` and of guards that look at the method.
 */
export function methodOverride(options: MethodOverrideOptions = {}): Middleware {
  const { field = "_method", header = "X-HTTP-Method-Override", methods = ["PUT", "PATCH", "DELETE"] } = options;
  const allowed = new Set(methods);
  const changed = (request: GatewayRequest, wanted: string | null): GatewayRequest => {
    const method = wanted?.trim().toUpperCase() ?? "";
    return allowed.has(method) ? { ...request, method } : request;
  };
  return layer({
    name: "methodOverride",
    onRequest(request): MaybePromise<GatewayRequest> {
      if (request.method !== "POST") return request;
      const named = header === false ? null : request.headers.get(header);
      if (named !== null) return changed(request, named);
      if (field === false) return request;
      return andThen(bufferedForm(request), (read) =>
        read === null ? request : changed(read.request, read.form.get(field)),
      );
    },
  });
}
