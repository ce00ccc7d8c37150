/** The operator's rules for what is kept in the stores: variables of the control worker and the API. */
import { FarmError } from '../../domain/errors.ts';
import { DEFAULT_GARBAGE_RULES, type GarbageRules } from '../../ports/store/collectGarbage.ts';

/**
 * `FARM_GC_GRACE` (seconds that an object is left alone after it was put), `FARM_FRAME_CACHE_SECONDS` (how long an entry of
 * the frame cache lives unused) and `FARM_FRAME_CACHE_BYTES` (what a studio's entries may stand for together).
 * @throws FarmError `SettingInvalid`
 */
export function readGarbageRules(variables: NodeJS.ProcessEnv): GarbageRules {
  const read = (name: string, standard: number): number => {
    const text = variables[name];
    if (!text) return standard;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= 0) return value;
    throw new FarmError('SettingInvalid', `${name} must be a whole number, not "${text}".`, { variable: name });
  };
  const { graceSeconds, maxAgeSeconds, maxBytes } = DEFAULT_GARBAGE_RULES;
  return {
    graceSeconds: read('FARM_GC_GRACE', graceSeconds),
    maxAgeSeconds: read('FARM_FRAME_CACHE_SECONDS', maxAgeSeconds),
    maxBytes: read('FARM_FRAME_CACHE_BYTES', maxBytes),
  };
}
