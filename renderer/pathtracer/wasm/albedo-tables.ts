/** Albedo tables of rough lobes (assembly/energy-tables.ts): computed once a process, copied into every tracer's memory. */
import * as layout from './assembly/layout.ts';
import type { Heap } from './heap.ts';
import type { ThreadPool } from './threads.ts';

/** Size, place in the scene block, and how a table is built: in rows that threads share, or in one go. */
export const ALBEDO_TABLES = {
  reflection: { bytes: layout.ENERGY_BYTES, sceneOffset: layout.SCENE_ENERGY_TABLE, call: 'buildEnergyTable', rows: 0 },
  anisotropic: {
    bytes: layout.ANISOTROPIC_BYTES,
    sceneOffset: layout.SCENE_ANISOTROPIC_TABLE,
    call: 'buildAnisotropicTable',
    rows: layout.ANISOTROPIC_ROUGHNESSES,
  },
  glass: {
    bytes: layout.GLASS_BYTES,
    sceneOffset: layout.SCENE_GLASS_TABLE,
    call: 'buildGlassTable',
    rows: layout.GLASS_INDICES,
  },
  sheen: { bytes: layout.SHEEN_BYTES, sceneOffset: layout.SCENE_SHEEN_TABLE, call: 'buildSheenTable', rows: 0 },
} as const;

export type AlbedoTable = keyof typeof ALBEDO_TABLES;

/** Finished tables. They depend on the compiled tracer alone, of which a process has one. */
const finished = new Map<AlbedoTable, Uint8Array>();

/** Puts a table into memory and returns its address. Throws `SceneTooLarge` when there is no room. */
export async function buildAlbedoTable(name: AlbedoTable, heap: Heap, pool: ThreadPool): Promise<number> {
  const known = finished.get(name);
  if (known) return heap.store(known);
  const { bytes, call: build, rows } = ALBEDO_TABLES[name];
  const address = heap.allocate(bytes);
  const ranges = rows === 0 ? [[]] : Array.from({ length: rows }, (_, row) => [row, row + 1]);
  await Promise.all(ranges.map((range) => pool.lend((call) => call(build, address, ...range))));
  finished.set(name, heap.bytes(address, bytes).slice());
  return address;
}
