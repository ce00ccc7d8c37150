/** The built page, served beside the API; addresses of the page itself (`/jobs/…`) all answer with its one document. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { FarmError } from '../../../domain/errors.ts';
import type { Api } from '../deps.ts';
import { sendProblem } from './problems.ts';

/** Prefixes that are never the page's. */
const MACHINE = /^\/(v1|node|openapi\.json|metrics|healthz|readyz|assets)(\/|$|\?)/;

export async function addPage(api: Api, folder: string | undefined): Promise<void> {
  const there = folder !== undefined && existsSync(join(folder, 'index.html'));
  if (there) {
    await api.register(fastifyStatic, {
      root: folder,
      // `index.html` names hashed files: it is asked for anew, they may stay for good.
      setHeaders: (response, path) => {
        const forever = /[/\\]assets[/\\]/.test(path);
        response.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
        response.header('x-content-type-options', 'nosniff');
      },
    });
  }
  api.setNotFoundHandler((request, reply) => {
    const wantsPage = request.method === 'GET' && !MACHINE.test(request.url);
    if (there && wantsPage) return reply.sendFile('index.html');
    return sendProblem(reply, new FarmError('NotFound', `There is no ${request.method} ${request.url.split('?')[0]}.`));
  });
}
