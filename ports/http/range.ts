/** The header `range` (RFC 9110, 14.2) that asks for the first bytes of an object and no more. */
export const headRange = (headBytes: number): string => `bytes=0-${headBytes - 1}`;
