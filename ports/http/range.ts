/** The header `range` (RFC 9110, 14.2) that asks for so many bytes of an object, from byte `from` on, and no more. */
export const byteRange = (from: number, bytes: number): string => `bytes=${from}-${from + bytes - 1}`;
