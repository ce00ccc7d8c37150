/** Compiles the contracts into `outDir` unless it is up to date; see `build.js`. */
export function buildContracts(outDir: string): Promise<{ compiled: boolean; contracts: string[] }>;
