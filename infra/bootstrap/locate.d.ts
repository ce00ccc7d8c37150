export type ProgramName = 'temporal' | 'minio';
export interface Located {
  path: string;
  source: 'environment' | 'path' | 'cache';
}
export declare function cacheFolder(variables?: NodeJS.ProcessEnv): string;
export declare const PROGRAMS: Record<ProgramName, { variable: string; address: string; folder: string }>;
export declare function cachedPath(name: ProgramName, variables?: NodeJS.ProcessEnv): string;
export declare function locate(name: ProgramName, variables?: NodeJS.ProcessEnv): Located | undefined;
