/** The steps of the build: what each reads, what it makes, and how. A step whose source is not there yet has no key. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { declareTypes, SDK_ROOMS } from './declarations.js';
import { keyOf, listFiles } from './inputs.js';
import { transpile } from './transpile.js';

/** Rooms whose TypeScript runs on Node; `dist/` mirrors them file by file. */
const NODE_ROOMS = [
  'domain',
  'ports',
  'workflows',
  'activities',
  'workers',
  'renderer',
  'farm-ui/api',
  'cli',
  'infra/stack',
  'infra/migrations',
  'infra/netlab',
  'test/bench',
  'test/reference',
  'test/exr',
  'test/pictures',
  'test/sim',
  'test/fuzz',
];

/** What Node loads from a mirrored room: code, and data that code reads relative to itself. */
const isRuntimeFile = (path) =>
  /\.(ts|js|mjs|cjs|json|sql|wasm)$/.test(path) &&
  !/\.(test|spec)\.ts$|\.d\.ts$|tsconfig[^/]*\.json$/.test(path) &&
  // AssemblyScript, but for the files of constants that both sides read.
  (!path.startsWith('renderer/pathtracer/wasm/assembly/') || /\/layout(-\w+)?\.ts$/.test(path)) &&
  !path.startsWith('cli/sdk/upload/assembly/') &&
  path !== 'cli/sdk/upload/build.js' &&
  // The translator runs where the sources are.
  !path.startsWith('renderer/pathtracer/wgsl/translate/') &&
  !path.includes('/testing/');

const nodeFiles = (root) => [
  ...NODE_ROOMS.flatMap((room) => listFiles(root, room)).filter(isRuntimeFile),
  // Sources read pinned versions and where programs lie from here.
  'infra/bootstrap/versions.js',
  'infra/bootstrap/locate.js',
];

const tool = (root, path) => import(join(root, path));

export const steps = [
  {
    name: 'code',
    describe: 'TypeScript to dist/',
    key: (root) => keyOf(root, [...nodeFiles(root), 'infra/bootstrap/build/transpile.js']),
    isThere: (root) => existsSync(join(root, 'dist', 'infra', 'stack', 'environment.js')),
    run: (root) => transpile(root, nodeFiles(root)),
  },
  {
    name: 'declarations',
    describe: 'types of the SDK',
    // The compiler is for those who develop: an installation without (npm ci --omit=dev) runs all the same.
    key: (root) =>
      existsSync(join(root, 'node_modules/typescript'))
        ? keyOf(root, [
            ...SDK_ROOMS.flatMap((room) => listFiles(root, room)).filter(
              (path) =>
                /\.ts$|tsconfig\.json$/.test(path) &&
                !path.endsWith('.test.ts') &&
                !path.startsWith('cli/sdk/upload/assembly/'),
            ),
            ...['tsconfig.json', 'package-lock.json', 'infra/bootstrap/build/declarations.js'],
          ])
        : undefined,
    isThere: (root) => existsSync(join(root, 'dist', 'cli', 'sdk', 'client.d.ts')),
    run: declareTypes,
  },
  {
    name: 'workflows',
    describe: 'workflow code for Temporal',
    key: (root) =>
      existsSync(join(root, 'workflows', 'index.ts'))
        ? keyOf(root, [
            ...['workflows', 'domain', 'activities']
              .flatMap((room) => listFiles(root, room))
              .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts')),
            'package-lock.json',
          ])
        : undefined,
    isThere: (root) => existsSync(join(root, 'dist', 'workflows.js')),
    run: async (root) => (await import('./workflows.js')).bundleWorkflows(root),
  },
  {
    name: 'tracer',
    describe: 'AssemblyScript to WebAssembly',
    key: (root) =>
      existsSync(join(root, 'renderer/pathtracer/wasm/build.js'))
        ? keyOf(
            root,
            listFiles(root, 'renderer/pathtracer/wasm').filter((path) => !path.endsWith('.wasm')),
          )
        : undefined,
    isThere: (root) => existsSync(join(root, 'dist', 'tracer.wasm')),
    run: async (root) =>
      (await tool(root, 'renderer/pathtracer/wasm/build.js')).buildTracer(join(root, 'dist', 'tracer.wasm')),
  },
  {
    name: 'gpu tracer',
    describe: 'AssemblyScript to WGSL',
    key: (root) =>
      existsSync(join(root, 'renderer/pathtracer/wgsl/build.js'))
        ? keyOf(root, [
            ...listFiles(root, 'renderer/pathtracer/wasm/assembly'),
            ...listFiles(root, 'renderer/pathtracer/wgsl').filter((path) => /\.(js|wgsl)$/.test(path)),
          ])
        : undefined,
    isThere: (root) => existsSync(join(root, 'dist', 'tracer.wgsl')),
    run: async (root) =>
      (await tool(root, 'renderer/pathtracer/wgsl/build.js')).buildWgsl(join(root, 'dist', 'tracer.wgsl')),
  },
  {
    name: 'contracts',
    describe: 'Solidity to bytecode',
    key: (root) =>
      existsSync(join(root, 'contracts/build.js'))
        ? keyOf(
            root,
            listFiles(root, 'contracts').filter((path) => /\.(sol|js|json)$/.test(path)),
          )
        : undefined,
    isThere: (root) => existsSync(join(root, 'dist', 'contracts')),
    run: async (root) => (await tool(root, 'contracts/build.js')).buildContracts(join(root, 'dist', 'contracts')),
  },
  {
    name: 'web',
    describe: 'the page',
    key: (root) =>
      existsSync(join(root, 'farm-ui/web/vite.config.ts'))
        ? keyOf(root, [
            ...listFiles(root, 'farm-ui/web'),
            ...listFiles(root, 'domain'),
            ...listFiles(root, 'cli/sdk'),
            'package-lock.json',
          ])
        : undefined,
    isThere: (root) => existsSync(join(root, 'dist', 'web', 'index.html')),
    run: async (root) => (await import('./web.js')).buildWeb(root),
  },
];
