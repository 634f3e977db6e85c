import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mockServer } from "./mock/plugin";

// `vite` serves the client for development and passes /api on to a running application (KINORA_URL);
// `vite --mode mock` answers /api itself from made-up data.
export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "mock" ? [mockServer()] : [])],
  server: {
    proxy:
      mode === "mock" || !process.env.KINORA_URL
        ? undefined
        : { "/api": { target: process.env.KINORA_URL, changeOrigin: false, secure: false } },
  },
  build: {
    target: "es2022",
    // The content security policy allows files of our own only: no data: addresses, no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
}));
