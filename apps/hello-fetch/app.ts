// Anything with fetch(request): Hono, h3 and others have this shape.
export default {
  fetch(request: Request): Response {
    return new Response(`Hello from ${new URL(request.url).pathname}\n`);
  },
};
