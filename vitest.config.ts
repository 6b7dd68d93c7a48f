import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // Processes, not threads: one test becomes another user, and others are killed.
    pool: 'forks',
    // The default leaves one processor free; tests wait for PostgreSQL enough to use it (22 s against 16 s on two).
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
