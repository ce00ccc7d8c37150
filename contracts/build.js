/**
 * Compiles `contracts/src` with npm's solc into one JSON file a contract: `{ contractName, abi, bytecode }`.
 * Plain JavaScript without a build step of its own; `node contracts/build.js [outDir]` runs it by hand.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVM_VERSION, loadSolc, OPTIMIZER_RUNS } from './compiler.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(HERE, 'src');
const require = createRequire(import.meta.url);
const SETTINGS = {
  evmVersion: EVM_VERSION,
  optimizer: { enabled: true, runs: OPTIMIZER_RUNS },
  // No source paths in the bytecode: the same sources give the same bytes wherever they lie.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
};

/**
 * Compile all contracts unless `outDir` already holds what these sources, settings and library versions give.
 *
 * @param {string} outDir folder for the artifacts, made if needed; usually `dist/contracts`
 * @returns {Promise<{ compiled: boolean, contracts: string[] }>} whether it compiled, and the contracts' names
 * @throws {Error} with the compiler's messages when a source does not compile
 */
export async function buildContracts(outDir) {
  const names = readdirSync(SOURCES)
    .filter((name) => name.endsWith('.sol'))
    .sort();
  const sources = Object.fromEntries(
    names.map((name) => [`src/${name}`, { content: readFileSync(join(SOURCES, name), 'utf8') }]),
  );
  const hash = fingerprint(sources);
  const stamp = join(outDir, 'build.json');
  const previous = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : {};
  if (previous.hash === hash && previous.contracts.every((name) => existsSync(join(outDir, `${name}.json`)))) {
    return { compiled: false, contracts: previous.contracts };
  }
  const output = compile(sources);
  mkdirSync(outDir, { recursive: true });
  rmSync(stamp, { force: true });
  const contracts = [];
  for (const name of names) {
    for (const [contractName, contract] of Object.entries(output.contracts[`src/${name}`] ?? {})) {
      const bytecode = `0x${contract.evm.bytecode.object}`;
      writeWhole(join(outDir, `${contractName}.json`), { contractName, abi: contract.abi, bytecode });
      contracts.push(contractName);
    }
  }
  writeWhole(stamp, { hash, contracts });
  return { compiled: true, contracts };
}

function fingerprint(sources) {
  const versions = [require('solc/package.json').version, require('@openzeppelin/contracts/package.json').version];
  return createHash('sha256')
    .update(JSON.stringify([versions, SETTINGS, sources]))
    .digest('hex');
}

function compile(sources) {
  const findImport = (path) => {
    try {
      return { contents: readFileSync(require.resolve(path), 'utf8') };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const input = { language: 'Solidity', sources, settings: SETTINGS };
  const output = JSON.parse(loadSolc().compile(JSON.stringify(input), { import: findImport }));
  // A warning in our own sources stops the build as an error does; what the library warns of is its authors' to judge.
  const messages = (output.errors ?? []).filter(
    (message) => message.severity === 'error' || message.sourceLocation?.file.startsWith('src/'),
  );
  if (messages.length > 0) {
    throw new Error(`The contracts do not compile:\n${messages.map((message) => message.formattedMessage).join('\n')}`);
  }
  return output;
}

/** Two builds at once (a test beside a start) must never leave half a file. */
function writeWhole(path, value) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(temporary, path);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const outDir = process.argv[2] ?? join(HERE, '..', 'dist', 'contracts');
  const { compiled, contracts } = await buildContracts(outDir);
  console.log(`${compiled ? 'Compiled' : 'Up to date'}: ${contracts.join(', ')} in ${resolve(outDir)}`);
}
