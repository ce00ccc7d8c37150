// Byte layout of the questions that tests put to the tracer's functions and of the answers, shared by host and tracer like layout.ts.

// One question to the scattering functions, for tests (probe-bsdf.ts): what is asked, then what was answered. Vectors are local
// (z is the shading normal) and take four floats; colours are rgb_.
export const PROBE_STRIDE = 256;
export const PROBE_MATERIAL = 0; // address of a material record without textures
export const PROBE_FLAGS = 4; // 1: seen from the front
export const PROBE_PREPARE_CHOICE = 8; // the numbers for prepareBsdf and sampleBsdf
export const PROBE_CHOICE = 12;
export const PROBE_U0 = 16;
export const PROBE_U1 = 20;
export const PROBE_OUTGOING = 32;
export const PROBE_INCOMING = 48; // for evaluateBsdf
export const PROBE_COAT_NORMAL = 64;
export const PROBE_EVALUATED_DIFFUSE = 80;
export const PROBE_EVALUATED_SPECULAR = 96;
export const PROBE_EVALUATED_TRANSMISSION = 112;
export const PROBE_SAMPLED_DIRECTION = 128;
export const PROBE_SAMPLED_DIFFUSE = 144;
export const PROBE_SAMPLED_SPECULAR = 160;
export const PROBE_SAMPLED_TRANSMISSION = 176;
export const PROBE_EVALUATED_DENSITY = 192;
export const PROBE_SAMPLED_DENSITY = 196;
export const PROBE_SAMPLED_ETA_SCALE = 200;
export const PROBE_IS_DELTA = 204; // the four below are integers
export const PROBE_IS_SAMPLED = 208; // what sampleBsdf returned
export const PROBE_SAMPLED_FLAGS = 212; // 1 delta, 2 through
export const PROBE_SAMPLED_KIND = 216;

// One question to the light tree, for tests (probe-lights.ts): position, normal (four floats each), then what is below.
export const PROBE_LIGHT_STRIDE = 64;
export const PROBE_LIGHT_CHOICE = 32;
export const PROBE_LIGHT_PICKED = 36; // answer: index of the light, -1 when none shines there
export const PROBE_LIGHT_CHANCE = 40; // answer: the probability of that pick
export const PROBE_LIGHT_TRAIL = 44; // a light to ask for
export const PROBE_LIGHT_TRAIL_CHANCE = 48; // answer: the probability of picking that one

// Rays and hits of probe-traverse.ts.
export const PROBE_RAY_STRIDE = 32;
export const PROBE_HIT_STRIDE = 32;

// One question to the sampler, for tests (probe-sampler.ts): seed, frame, x, y, sample, block (also the first key), second key.
export const PROBE_NUMBERS_STRIDE = 64;
export const PROBE_NUMBERS_FOUR = 32; // answer: the block's four numbers
export const PROBE_NUMBERS_UNIFORM = 48; // answer: the number of the two keys

// One question to what picks light points and camera rays, for tests (probe-choices.ts): four numbers, then vectors of four floats.
export const PROBE_CHOICE_STRIDE = 128;
export const PROBE_CHOICE_FROM = 16; // the surface, or pixel x and y
export const PROBE_CHOICE_NORMAL = 32;
export const PROBE_CHOICE_DIRECTION = 48; // whose density in the environment is wanted
export const PROBE_CHOICE_FOUND = 64; // answer: the direction; fourth float: its density, 0 when nothing was picked
export const PROBE_CHOICE_POINT = 80; // answer: the point on the light, or where the ray begins
export const PROBE_CHOICE_DENSITY = 96; // answer: density of the direction that was asked for
