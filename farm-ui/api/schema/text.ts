/** Text that callers choose and the farm keeps. */
import { z } from 'zod';
import { PLAIN_TEXT, STORABLE_TEXT } from '../../../domain/text.ts';

/** Of one line. */
export const plainText = z.string().regex(PLAIN_TEXT, 'holds a control character, or half a character');
/** Names as they may stand in a scene. */
export const storableText = z.string().regex(STORABLE_TEXT, 'holds a NUL, or half a character');
