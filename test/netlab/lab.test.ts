/** A link carries what it is told to, in both directions, and a lab goes with its owner. Needs root and iproute2. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { calibrate } from '../../infra/netlab/calibrate.ts';
import { whyNoLab } from '../../infra/netlab/commands.ts';
import { Lab } from '../../infra/netlab/lab.ts';
import { repositoryRoot } from '../../infra/stack/paths.ts';

const why = await whyNoLab();
if (why) process.stderr.write(`${why}\n`);

const namespaces = (): string[] => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split(/[\s\n]+/);

it.skipIf(why)('carries the asked payload in both directions, and counts it', async () => {
  const lab = await Lab.build(['site-1', 'site-2']);
  try {
    // A machine that is busy elsewhere may let a link idle for a moment; then the stream is run once more.
    for (let attempt = 1; ; attempt += 1) {
      const before = await lab.counters('site-1');
      const [link] = await calibrate(lab, new Map([['site-1', 40]]), { streamMs: 1_000 });
      const after = await lab.counters('site-1');
      expect(after.up - before.up).toBeGreaterThan(4e6);
      expect(after.down - before.down).toBeGreaterThan(4e6);
      const shares = [link!.upMbits / 40, link!.downMbits / 40];
      expect(Math.max(...shares)).toBeLessThan(1.02);
      if (Math.min(...shares) > 0.98) break;
      expect(attempt).toBeLessThan(4);
    }
  } finally {
    await lab.remove();
  }
  expect(namespaces()).not.toContain(lab.studio.namespace);
});

it.skipIf(why)('is removed with all that runs in it when its owner is killed', async () => {
  const holder = spawn(process.execPath, [join(repositoryRoot, 'test', 'netlab', 'hold-lab.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: holder.stdout }), 'line');
  const held = (JSON.parse(String(line)) as { namespaces: string[] }).namespaces;
  expect(namespaces()).toEqual(expect.arrayContaining(held));
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  while (held.some((name) => namespaces().includes(name))) await sleep(50);
});

it.skipIf(why)('refuses names that no namespace can have, before anything is made', async () => {
  await expect(Lab.build(['Site 1'])).rejects.toMatchObject({ code: 'SettingInvalid' });
  await expect(Lab.build(['studio'])).rejects.toMatchObject({ code: 'SettingInvalid' });
});
