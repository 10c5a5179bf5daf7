/** Tests sit beside the code; files run two at a time because each may start real processes on a two-core machine. */
import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      "harness/**/*.test.ts",
      "target-app/**/*.test.ts",
      "reports/**/*.test.ts",
      "scenarios/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    exclude: ["node_modules/**", "reports/out/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
export default config;
