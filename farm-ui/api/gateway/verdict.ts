/** Waiting until a frame that a node reported has been judged. */
import type { Hub } from '../live/hub.ts';

export interface VerdictWatch {
  /** Resolves when the unit was committed or refused or something may have been missed; after `ms`; when the node hangs up. */
  within(ms: number, gone: AbortSignal): Promise<void>;
  end(): void;
}

/** Listens from now on: begin before the unit is reported, or the verdict may come first. Must be ended. */
export function watchForVerdict(hub: Hub, studioId: string, unitId: string): VerdictWatch {
  let isJudged = false;
  let wake: (() => void) | undefined;
  const end = hub.onStudio(studioId, {
    job({ event }) {
      const isVerdict = event?.type === 'unit.committed' || event?.type === 'unit.refused';
      if (event !== null && !(isVerdict && event.data.unitId === unitId)) return;
      isJudged = true;
      wake?.();
    },
  });
  return {
    end,
    within: (ms, gone) =>
      new Promise((resolve) => {
        if (isJudged || gone.aborted) return resolve();
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        gone.addEventListener('abort', wake);
      }),
  };
}
