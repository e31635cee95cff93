/** What random inputs are made from: the same in each run unless JIGA_FUZZ_SEED says otherwise. A failure names it. */
export const fuzzSeed = Number(process.env['JIGA_FUZZ_SEED'] ?? 20_261_121);
