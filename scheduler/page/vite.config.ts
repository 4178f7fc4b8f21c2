import { defineConfig } from "vite";

/** `npx vite build scheduler/page` writes dist/page, which the scheduler serves at `/`. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: "../../dist/page", emptyOutDir: true },
});
