/** Text from strangers: what may go on record, and what may be shown. */

/** One line: neither control characters nor lone surrogates (halves of what UTF-16 writes in two, which have no UTF-8). */
export const PLAIN_TEXT = /^[^\p{Cc}\p{Cs}]*$/u;
/** What PostgreSQL can keep: no NUL and no lone surrogates. */
export const STORABLE_TEXT = /^[^\0\p{Cs}]*$/u;

/** For people and their terminals: control characters but line breaks and tabs, and lone surrogates, as `\u001b`. */
export const visible = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]|\p{Cs}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** JSON in which what PostgreSQL does not take (see `STORABLE_TEXT`) is the replacement character. @param text well-formed JSON */
export const storableJson = (text: string): string =>
  // Escapes are read one by one, so that an escaped backslash before a "u" is none.
  text.replace(/\\(?:u(0000|d[89a-f][0-9a-f]{2})|.)/g, (sequence, unstorable) => (unstorable ? '\\ufffd' : sequence));
