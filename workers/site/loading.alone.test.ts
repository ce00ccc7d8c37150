import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { startSiteAgent } from './agent.ts';
import { packBlock } from './transitEncoder.ts';

it('asks for the diagnostic report, which looks up the peers of threads, before it serves and never again', async () => {
  const report = vi.spyOn(process.report, 'getReport');
  const keys = { accessKey: 'nobody', secretKey: 'nothing' };
  const store = createMinioStore({ endpoint: 'http://127.0.0.1:9', region: 'us-east-1', bucket: 'none', ...keys });
  const inspectors = new FrameInspectors(1);
  const log = pino({ level: 'silent' });
  const token = randomBytes(24).toString('hex');
  const agent = await startSiteAgent({ store, inspectors, token, host: '127.0.0.1', port: 0, log });
  try {
    const before = report.mock.calls.length;
    expect((await packBlock(Buffer.alloc(4096))).packed).toBe(true);
    // What makes pictures smaller is loaded with the first of them.
    await import('../../renderer/image/preview.ts');
    expect(report.mock.calls.length).toBe(before);
    expect(before).toBeGreaterThan(0);
  } finally {
    await agent.close();
    await inspectors.close();
  }
});
