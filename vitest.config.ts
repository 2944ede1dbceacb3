import { defineConfig } from 'vitest/config';

/** `--mode data`: what needs published data sets, at folders that environment variables name (`npm run test:data`). */
export default defineConfig(({ mode }) => ({
  test: {
    include: [mode === 'data' ? 'test/**/*.data.ts' : 'test/**/*.test.ts'],
    reporters: ['default', './test/support/untested-reporter.ts'],
    // Each file loads a native addon: a process of its own keeps one file's crash from hiding another's result.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is waited for comes as soon as the machine gets to it.
    expect: { poll: { timeout: 30_000 } },
  },
}));
