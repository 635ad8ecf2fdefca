// Anything with fetch(request): Hono, h3 and others have this shape.
export default {
  fetch(_request: Request): Response {
    return new Response("Hello, World!\n");
  },
};
