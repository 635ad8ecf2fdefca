// @gw/cli: what configuration files import. The command itself is bin/gw.js.
export { type AppReference, type Config, defineConfig } from "./config/config.ts";
