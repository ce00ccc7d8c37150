/** Compiles `assembly/gear.ts` into `gearModule.ts`: `node cli/sdk/upload/build.js`. Plain node. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

/** @returns {Promise<string>} the compiled module, base64 */
async function compileGear() {
  const { default: asc } = await import('assemblyscript/asc');
  let compiled;
  const { error, stderr } = await asc.main(
    ['assembly/gear.ts', '--baseDir', folder, '-O3', '--noAssert', '--runtime', 'stub', '--outFile', 'gear.wasm'],
    {
      writeFile(name, contents) {
        if (name.endsWith('.wasm')) compiled = contents;
      },
    },
  );
  if (error) throw new Error(`AssemblyScript did not compile:\n${stderr.toString()}${error.message}`);
  return Buffer.from(compiled).toString('base64');
}

const text = await compileGear();
const source = createHash('sha256')
  .update(await readFile(join(folder, 'assembly', 'gear.ts')))
  .digest('hex');
await writeFile(
  join(folder, 'gearModule.ts'),
  `/** \`assembly/gear.ts\`, compiled: made by \`node cli/sdk/upload/build.js\`. */
export const GEAR_MODULE =
  '${text}';

/** SHA-256 of the source that it was made from. */
export const GEAR_SOURCE = '${source}';
`,
);
