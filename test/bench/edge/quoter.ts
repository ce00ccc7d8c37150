/** The node that estimates for quotes: beside the studio, so that nothing of a project is at a site before the clock begins. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunParameters } from './edgeReport.ts';
import type { ProgramsContext } from './shapes.ts';
import { nodeSettings, SiteProcesses } from './siteProcesses.ts';
import { untilOnline } from './warmUp.ts';

export class Quoter {
  readonly #context: ProgramsContext;
  #running: { key: string; name: string; place: SiteProcesses } | undefined;
  #started = 0;

  constructor(context: ProgramsContext) {
    this.#context = context;
  }

  /** Name of a node, online, that renders as the run's nodes do. @throws FarmError when it does not come up */
  async of({ engine, renderSeconds }: Pick<RunParameters, 'engine' | 'renderSeconds'>): Promise<string> {
    const key = `${engine}/${renderSeconds}`;
    if (this.#running?.key === key) return this.#running.name;
    await this.stop();
    const { lab, keeper, farm, folder, framesFolder } = this.#context;
    this.#started += 1;
    const name = `quote-${this.#started}`;
    const place = new SiteProcesses(lab, keeper, 'studio', join(folder, name));
    this.#running = { key, name, place };
    await mkdir(join(folder, name), { recursive: true });
    await place.startNode(name, { ...nodeSettings(farm, { engine, renderSeconds, framesFolder }), site: 'local' });
    await untilOnline(await farm.openStudio(name), [name]);
    return name;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.place.stop();
  }
}
