import fc from 'fast-check'

/**
 * Property tests play the same cases in every run of the suite, so that a change is judged by what it changed. Other
 * cases: `FUZZ_SEED=$RANDOM FUZZ_RUNS=5000 npx vitest run test/fuzz --testTimeout 0`. A case that fails prints its seed and path.
 */
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 24224) })
