#!/usr/bin/env node
/**
 * npm's solc with the face of the native compiler, for forge: `--version`, and standard JSON from stdin to stdout.
 * Forge puts every source into its input, so no import callback is needed.
 */
import { readFileSync } from 'node:fs';
import { loadSolc } from './compiler.js';

const arguments_ = process.argv.slice(2);
const solc = loadSolc();
if (arguments_.includes('--version')) {
  // Forge parses the native compiler's second line and knows no Emscripten build.
  const version = solc.version().replace(/\.Emscripten.*$/, '.Linux.g++');
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (arguments_.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
} else {
  process.stderr.write(`solc.js: only --version and --standard-json are known, not ${arguments_.join(' ')}\n`);
  process.exitCode = 1;
}
