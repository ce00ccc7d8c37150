/**
 * Compiler settings shared by the build and by forge's wrapper, in plain JavaScript so that bootstrap can run it before
 * anything is built.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Prague is the newest hard fork that every EVM chain we settle on has; anvil 1.7.1 runs it by default. */
export const EVM_VERSION = 'prague';

/** Runs for which the optimizer weighs size against gas; claims and redemptions are frequent, deployment is not. */
export const OPTIMIZER_RUNS = 1000;

/** npm's solc, loaded late: it is 20 MB of WebAssembly that an up-to-date build does not need. */
export function loadSolc() {
  // Emscripten installs handlers that turn any later exception of the host program into an abort; ours stay in charge.
  const before = process.listeners('uncaughtException');
  const beforeRejection = process.listeners('unhandledRejection');
  const solc = require('solc');
  process.removeAllListeners('uncaughtException');
  process.removeAllListeners('unhandledRejection');
  for (const listener of before) process.on('uncaughtException', listener);
  for (const listener of beforeRejection) process.on('unhandledRejection', listener);
  return solc;
}
