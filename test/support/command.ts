/** The built `farm` command as a person runs it, in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../cli/bin/farm.js', import.meta.url));

interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** `farm …` in a folder, without any farm. */
export function farmIn(folder: string): (...args: string[]) => Promise<CommandResult> {
  const env = { ...process.env, FARM_HOME: join(folder, 'no-farm'), FARM_URL: '', FARM_KEY: '', NO_COLOR: '1' };
  return (...args) =>
    new Promise((resolve) => {
      execFile(process.execPath, [command, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
        resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
}
