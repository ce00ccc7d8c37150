export interface ProcessRecord {
  pid: number;
  /** The system's notation of when it started; undefined when it was gone before anybody could ask. */
  startTime: string | undefined;
  /** What ends it politely; `SIGTERM` unless said otherwise. */
  signal?: NodeJS.Signals;
}
export declare function startTimeOf(pid: number): string | undefined;
export declare function isRunning(record: ProcessRecord): boolean;
export declare function processesWithVariable(name: string, value: string): { pid: number; startTime: string }[];
export declare function signalGroup(pid: number, signal: NodeJS.Signals): void;
export declare function endProcesses(records: ProcessRecord[], graceMs: number): Promise<void>;
