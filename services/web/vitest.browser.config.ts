import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The browser tests stand in tests/browser, their tools in this package.
export default defineConfig({
  root: here("../../tests/browser"),
  resolve: {
    alias: {
      "playwright-core": here("node_modules/playwright-core/index.mjs"),
      qr: here("node_modules/qr"),
      vitest: here("node_modules/vitest"),
    },
  },
  server: { fs: { strict: false } },
  cacheDir: here("node_modules/.vite-browser"),
  test: { include: ["**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false, bail: 1, expect: { poll: { timeout: 20_000 } } },
});
