// Byte layout of recorded paths, shared by host and tracer like layout.ts.
// One step of a recorded path (record.ts); vectors have four floats.
export const RECORD_STRIDE = 192;
export const RECORD_INCOMING = 0;
export const RECORD_POSITION = 16;
export const RECORD_NORMAL = 32;
export const RECORD_FOUND = 48;
export const RECORD_SAMPLED = 64;
export const RECORD_THROUGHPUT = 80;
export const RECORD_RADIANCE = 96;
export const RECORD_DIRECTION = 112;
export const RECORD_DISTANCE = 128;
export const RECORD_DENSITY = 132;
export const RECORD_BOUNCE = 136;
export const RECORD_END = 140;
/** INSTANCE_ID, or -1 where nothing was hit. */
export const RECORD_INSTANCE = 144;
/** Address of the material record. */
export const RECORD_MATERIAL = 148;
export const RECORD_TRIANGLE = 152;
/** What was sampled for light: 0 a surface, 1 the environment, 2 a punctual light. */
export const RECORD_LIGHT = 156;
export const RECORD_KIND = 160;
export const RECORD_DELTA = 164;
export const RECORD_THROUGH = 168;
