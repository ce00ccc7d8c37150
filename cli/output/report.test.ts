import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE } from '../../domain/errors.ts';
import { exitCodeOf } from './report.ts';

describe('exit codes', () => {
  it.each(Object.entries(ERROR_CATALOGUE))('of %s are those of the catalogue', (code, { exitCode }) => {
    expect(exitCodeOf(code)).toBe(exitCode);
  });
});
