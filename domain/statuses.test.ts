import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  assertJobTransition,
  CHUNK_TRANSITIONS,
  isFinalJob,
  JOB_TRANSITIONS,
  STAGES,
  UNIT_TRANSITIONS,
} from './statuses.ts';

const schema = readFileSync(new URL('../infra/migrations/0001_first_light.sql', import.meta.url), 'utf8');

/** The words that the schema allows in a column of a table. */
function allowedInSchema(table: string, column: string): string[] {
  const start = schema.indexOf(`CREATE TABLE ${table} (`);
  const body = schema.slice(start, schema.indexOf('\n);', start));
  const match = new RegExp(`\\b${column} text[^,]*CHECK \\(${column} IN\\s*\\(([^)]*)\\)`, 's').exec(body);
  return [...(match?.[1] ?? '').matchAll(/'([^']+)'/g)].map((word) => word[1]!).sort();
}

describe.each([
  ['jobs', JOB_TRANSITIONS],
  ['chunks', CHUNK_TRANSITIONS],
  ['units', UNIT_TRANSITIONS],
] as const)('statuses of %s', (table, transitions: Record<string, readonly string[]>) => {
  it('are the same in code and schema', () => {
    expect(Object.keys(transitions).sort()).toEqual(allowedInSchema(table, 'status'));
  });

  it('lead only to statuses that exist, and never to themselves', () => {
    for (const [from, targets] of Object.entries(transitions)) {
      for (const to of targets) {
        expect(Object.keys(transitions)).toContain(to);
        expect(to).not.toBe(from);
      }
    }
  });

  it('can all reach an end', () => {
    const ends = (status: string, seen: Set<string>): boolean => {
      if (transitions[status]!.length === 0) return true;
      seen.add(status);
      return transitions[status]!.some((next) => !seen.has(next) && ends(next, seen));
    };
    for (const status of Object.keys(transitions)) expect(ends(status, new Set()), status).toBe(true);
  });
});

describe('jobs', () => {
  it('have the stages of the schema', () => {
    expect([...STAGES].sort()).toEqual(allowedInSchema('jobs', 'stage'));
  });

  it('that are final stay so', () => {
    expect(isFinalJob('completed')).toBe(true);
    expect(isFinalJob('paused')).toBe(false);
    expect(() => assertJobTransition('completed', 'active')).toThrow(
      expect.objectContaining({ code: 'JobStateConflict' }),
    );
    expect(() => assertJobTransition('paused', 'active')).not.toThrow();
  });
});
