/** End-to-end tests run what `dist/` holds; this makes it new before them (vitest's global set-up). */
// @ts-expect-error set-up code is plain JavaScript without types
import { build } from '../../infra/bootstrap/build.js';

export async function setup(): Promise<void> {
  await build();
}
