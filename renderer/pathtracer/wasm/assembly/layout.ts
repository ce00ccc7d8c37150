// Byte layout of everything that host (TypeScript) and tracer (AssemblyScript) share in linear memory.
// Plain constants only: this file is compiled by both languages. Pointers are u32 byte addresses, 0 means absent.

// Wide BVH node: planes of eight children, per axis [min x8][max x8], then eight child references. Unused children have inverted
// infinite planes. A child reference r >= 0 is the node at (r << REFERENCE_SHIFT) bytes behind the tree's first node; r < 0 is a
// leaf: in a mesh's tree the pack at (~r << REFERENCE_SHIFT) bytes behind its first pack, in the scene's tree instance ~r.
export const NODE_WIDTH = 8;
export const NODE_STRIDE = 224;
export const NODE_CHILDREN = 192;
export const REFERENCE_SHIFT = 5;

// Pack: four triangles, structure of arrays: v0.xyz, v1.xyz, v2.xyz (nine x 4 floats), then four triangle ids (-1 = unused,
// corners zero). Corners are the mesh's own floats: that neighbours share them bit for bit is what keeps edges watertight.
export const PACK_STRIDE = 160;
export const PACK_V1 = 48;
export const PACK_V2 = 96;
export const PACK_IDS = 144;
// Pack of a moving mesh (MESH_MOVING): the same, then at PACK_DELTAS what v0.xyz, v1.xyz, v2.xyz change by in one frame.
export const PACK_MOVING_STRIDE = 320;
export const PACK_DELTAS = 160;

// Reference to a primitive while building: [min.xyz, id][max.xyz, unused].
export const REF_STRIDE = 32;

// Mesh record.
export const MESH_STRIDE = 80;
export const MESH_NODES = 0;
export const MESH_PACKS = 4;
export const MESH_TRIANGLES = 8;
export const MESH_INDICES = 12;
export const MESH_NORMALS = 16;
export const MESH_TANGENTS = 20;
export const MESH_UV0 = 24;
export const MESH_UV1 = 28;
export const MESH_COLORS = 32;
export const MESH_MATERIAL = 36;
/** 1 when hits need the alpha test. */
export const MESH_ALPHA = 40;
/** 1 when vertices move while the shutter is open: packs are PACK_MOVING_STRIDE apart and nodes enclose the whole interval. */
export const MESH_MOVING = 44;
export const MESH_MIN = 52; // three floats
export const MESH_MAX = 64; // three floats

// Instance record: affine columns of world-to-object and object-to-world (four floats each, fourth unused).
export const INSTANCE_STRIDE = 160;
export const INSTANCE_TO_OBJECT = 0;
export const INSTANCE_TO_WORLD = 64;
export const INSTANCE_MESH = 128;
/** One u32 a triangle: 1 + its index among the emissive triangles, 0 when it emits nothing. The table is 0 when none does. */
export const INSTANCE_LIGHTS = 132;
export const INSTANCE_ID = 136;
/** Motion record, 0 when the instance stands still. Then the two matrices above hold the pose at time 0. */
export const INSTANCE_MOTION = 140;
export const INSTANCE_FLAGS = 144;
/** Object space is world space: rays need no transform. */
export const INSTANCE_IS_IDENTITY = 1;
/** Bits of the Cryptomatte id of the node's name. */
export const INSTANCE_NAME = 148;
/** Motion record also where the shutter does not stay open, for the motion layer; 0 when the instance stands still. */
export const INSTANCE_NEXT = 152;

// Motion of an instance over one frame: matrix = translation(t) * rotation(t) * stretch(t), each interpolated linearly between
// the poses now and next, the quaternion (xyzw, both in one hemisphere) normalised. Stretch: three columns of four floats.
export const MOTION_STRIDE = 160;
export const MOTION_TRANSLATION = 0;
export const MOTION_ROTATION = 16;
export const MOTION_STRETCH = 32;
/** Distance from a pose now to the same pose next. */
export const MOTION_NEXT = 80;

// Texture slot inside a material.
export const TEXTURE_PIXELS = 0;
export const TEXTURE_WIDTH = 4;
export const TEXTURE_HEIGHT = 8;
export const TEXTURE_FLAGS = 12;
export const TEXTURE_TRANSFORM = 16; // six floats
export const TEXTURE_SRGB = 1;
export const TEXTURE_NEAREST = 2;
export const TEXTURE_UV1 = 4;
/** Wrap modes: 0 repeat, 1 clamp, 2 mirror. */
export const TEXTURE_WRAP_S_SHIFT = 4;
export const TEXTURE_WRAP_T_SHIFT = 6;

// Material record: numbers, then texture slots of 48 bytes. Whatever an extension brings is read only under its flag.
export const MATERIAL_STRIDE = 1056;
export const MATERIAL_BASE_COLOR = 0; // rgba
export const MATERIAL_EMISSIVE = 16; // rgb_
export const MATERIAL_ATTENUATION = 32; // absorption coefficient rgb, 1/m
export const MATERIAL_METALLIC = 48;
export const MATERIAL_ROUGHNESS = 52;
export const MATERIAL_NORMAL_SCALE = 56;
export const MATERIAL_ALPHA_CUTOFF = 60;
export const MATERIAL_TRANSMISSION = 64;
export const MATERIAL_IOR = 68;
export const MATERIAL_FLAGS = 72;
/** Reflectance at normal incidence that the index of refraction gives. */
export const MATERIAL_F0 = 76;
/** 20 / Abbe number. */
export const MATERIAL_DISPERSION = 80;
export const MATERIAL_SPECULAR = 84;
export const MATERIAL_CLEARCOAT = 88;
export const MATERIAL_CLEARCOAT_ROUGHNESS = 92;
export const MATERIAL_CLEARCOAT_NORMAL_SCALE = 96;
export const MATERIAL_SHEEN_ROUGHNESS = 100;
export const MATERIAL_ANISOTROPY = 104;
export const MATERIAL_ANISOTROPY_COSINE = 108; // of the rotation
export const MATERIAL_ANISOTROPY_SINE = 112;
export const MATERIAL_DIFFUSE_TRANSMISSION = 116;
export const MATERIAL_IRIDESCENCE = 120;
export const MATERIAL_IRIDESCENCE_IOR = 124;
export const MATERIAL_IRIDESCENCE_MINIMUM = 128; // nanometres
export const MATERIAL_IRIDESCENCE_MAXIMUM = 132; // nanometres
/** Bits of the Cryptomatte id of the material's name. */
export const MATERIAL_NAME = 136;
export const MATERIAL_SPECULAR_COLOR = 144; // rgb_
export const MATERIAL_SHEEN_COLOR = 160; // rgb_
export const MATERIAL_DIFFUSE_TRANSMISSION_COLOR = 176; // rgb_
export const MATERIAL_TEX_BASE = 192;
export const MATERIAL_TEX_ROUGHNESS = 240;
export const MATERIAL_TEX_NORMAL = 288;
export const MATERIAL_TEX_EMISSIVE = 336;
export const MATERIAL_TEX_TRANSMISSION = 384;
export const MATERIAL_TEX_SPECULAR = 432;
export const MATERIAL_TEX_SPECULAR_COLOR = 480;
export const MATERIAL_TEX_CLEARCOAT = 528;
export const MATERIAL_TEX_CLEARCOAT_ROUGHNESS = 576;
export const MATERIAL_TEX_CLEARCOAT_NORMAL = 624;
export const MATERIAL_TEX_SHEEN_COLOR = 672;
export const MATERIAL_TEX_SHEEN_ROUGHNESS = 720;
export const MATERIAL_TEX_ANISOTROPY = 768;
export const MATERIAL_TEX_IRIDESCENCE = 816;
export const MATERIAL_TEX_IRIDESCENCE_THICKNESS = 864;
export const MATERIAL_TEX_DIFFUSE_TRANSMISSION = 912;
export const MATERIAL_TEX_DIFFUSE_TRANSMISSION_COLOR = 960;
export const FLAG_DOUBLE_SIDED = 1;
export const FLAG_UNLIT = 2;
export const FLAG_MASK = 4;
export const FLAG_BLEND = 8;
/** Encloses a volume: rays bend and are absorbed. */
export const FLAG_THICK = 16;
export const FLAG_EMISSIVE = 32;
export const FLAG_TRANSMISSION = 64;
export const FLAG_SPECULAR = 128;
export const FLAG_CLEARCOAT = 256;
export const FLAG_SHEEN = 512;
export const FLAG_ANISOTROPY = 1024;
export const FLAG_IRIDESCENCE = 2048;
export const FLAG_DIFFUSE_TRANSMISSION = 4096;
export const FLAG_DISPERSION = 8192;
/** Tangents are needed: for a normal map, the coat's normal map or anisotropy. */
export const FLAG_TANGENTS = 16384;
/** They follow the second set of texture coordinates. */
export const FLAG_TANGENTS_UV1 = 32768;
/** Lambertian and nothing else: no lobe, light or volume of its own, and no map bends its normals. */
export const FLAG_LAMBERTIAN = 65536;
/** Any extension that changes how light scatters: a material without these flags is plain metallic-roughness. */
export const FLAGS_EXTENDED = 16320; // FLAG_TRANSMISSION to FLAG_DISPERSION

// Emissive triangle: world-space v0, e1, e2 (four floats each), then instance, triangle, trail in the light tree, 1 / area.
export const TRI_LIGHT_STRIDE = 64;
export const TRI_LIGHT_INSTANCE = 48;
export const TRI_LIGHT_TRIANGLE = 52;
export const TRI_LIGHT_TRAIL = 56;
export const TRI_LIGHT_INVERSE_AREA = 60;

// Node of the light tree (light-tree.ts): what lies below its four children, a v128 of a float each for every property.
export const LIGHT_NODE_STRIDE = 192;
/** Of a sphere around the lights: x, y and z of its centre, one behind the other, then its radius squared. */
export const LIGHT_NODE_CENTRE = 0;
export const LIGHT_NODE_RADIUS2 = 48;
/** Of the cone of normals: x, y and z, one behind the other. */
export const LIGHT_NODE_AXIS = 64;
/** Relative to all lights together; 0 for a child that there is not. */
export const LIGHT_NODE_INTENSITY = 112;
/** Half angle of the cone of normals. */
export const LIGHT_NODE_COS_SPREAD = 128;
/** How far from a normal light leaves at most. */
export const LIGHT_NODE_COS_EMISSION = 144;
/** 1 where lights shine from their front alone, -1 where one of them shines from both sides. */
export const LIGHT_NODE_SIDES = 160;
/** Integers: index of a node, or -1 - index of the one light: emissive triangles, then local lights. */
export const LIGHT_NODE_LINK = 176;
/** Turns to the left or right from the root to a light at most; a trail has two bits for a node, which is two turns. */
export const LIGHT_TREE_DEPTH = 31;

// Punctual light.
export const PUNCTUAL_STRIDE = 64;
export const PUNCTUAL_POSITION = 0;
export const PUNCTUAL_DIRECTION = 16; // the way light travels
export const PUNCTUAL_INTENSITY = 32;
export const PUNCTUAL_KIND = 48; // 0 point, 1 spot, 2 directional
export const PUNCTUAL_SPOT_SCALE = 52;
export const PUNCTUAL_SPOT_OFFSET = 56;

// Scene block.
export const SCENE_SIZE = 320;
export const SCENE_NODES = 0; // 0 when there is no geometry
export const SCENE_INSTANCES = 4;
export const SCENE_SRGB_TABLE = 8; // 256 floats
export const SCENE_ENERGY_TABLE = 12;
export const SCENE_ENV_PIXELS = 16; // four u16 a pixel: rgb mantissas and their common exponent (see environment.ts)
export const SCENE_ENV_WIDTH = 20;
export const SCENE_ENV_HEIGHT = 24;
export const SCENE_ENV_TURNS = 28; // rotation / 2 pi
export const SCENE_ENV_INTENSITY = 32;
export const SCENE_ENV_MARGINAL = 36; // rows + 1 floats; 0 when directions are picked evenly over the sphere, without tables
export const SCENE_ENV_CONDITIONAL = 40; // rows x (columns + 1) floats
export const SCENE_P_ENV = 48;
export const SCENE_P_LOCAL = 52; // emissive triangles, point and spot lights: what the tree holds
export const SCENE_P_DIRECTIONAL = 56;
export const SCENE_TRI_COUNT = 60;
export const SCENE_LIGHT_TREE = 64; // 0 without local lights
export const SCENE_TRI_LIGHTS = 68;
export const SCENE_DIRECTIONAL_COUNT = 72;
export const SCENE_DIRECTIONAL_CDF = 76;
export const SCENE_PUNCTUALS = 80; // point and spot lights, in the tree's order
export const SCENE_DIRECTIONALS = 84;
export const SCENE_ENV_MARGINAL_GUIDE = 88; // ENV_GUIDE + 1 u16
export const SCENE_ENV_CONDITIONAL_GUIDE = 92; // rows x (ENV_GUIDE + 1) u16
export const SCENE_CAMERA = 96; // four columns of four floats, orthonormal
export const SCENE_CAMERA_KIND = 160; // 0 perspective, 1 orthographic
export const SCENE_CAMERA_SCALE = 164; // tan(yfov / 2) or half height
export const SCENE_CAMERA_NEAR = 168;
export const SCENE_STRATEGY = 172; // 0 MIS, 1 BSDF sampling only, 2 light sampling only
export const SCENE_CAMERA_NEXT = 176; // the camera's columns one frame later
/** Tables that are there only when a material needs them, else 0. */
export const SCENE_ANISOTROPIC_TABLE = 240;
export const SCENE_GLASS_TABLE = 244;
export const SCENE_SHEEN_TABLE = 248;
export const SCENE_LENS_RADIUS = 256; // 0 for a pinhole
export const SCENE_LENS_FOCUS = 260; // distance along the viewing axis
export const SCENE_LENS_BLADES = 264; // a float; below 3 the lens is round
export const SCENE_SHUTTER = 268; // frames
export const SCENE_CAMERA_MOVES = 272; // 1 when SCENE_CAMERA_NEXT differs
/** Cells of the environment's tables, powers of two. */
export const SCENE_ENV_COLUMNS = 276;
export const SCENE_ENV_ROWS = 280;

/** Entries of a guide table less one: where in a cumulative table to start looking. */
export const ENV_GUIDE = 256;
/** Cells of a pixel filter's table (filter-table.ts). */
export const FILTER_CELLS = 512;

// Tables of albedos (energy-tables.ts fills, energy.ts reads); entries of four floats unless said otherwise.
// GGX: [roughness][cosine], then the mean of each roughness.
export const ENERGY_SIZE = 32;
export const ENERGY_BYTES = 16896; // (32 * 32 + 32) * 16
// Anisotropic GGX: [roughness][strength][turn][cosine], then [roughness][strength] of means. Only with such materials.
export const ANISOTROPIC_ROUGHNESSES = 16;
export const ANISOTROPIC_STRENGTHS = 12;
export const ANISOTROPIC_TURNS = 8;
export const ANISOTROPIC_COSINES = 16;
export const ANISOTROPIC_AVERAGES = 393216; // 16 * 12 * 8 * 16 * 16
export const ANISOTROPIC_BYTES = 396288; // and 16 * 12 * 16 more
// Rough dielectric boundaries: [index][roughness][cosine]. Only with volumes.
export const GLASS_INDICES = 41;
export const GLASS_ROUGHNESSES = 16;
export const GLASS_COSINES = 24;
export const GLASS_BYTES = 251904; // 41 * 16 * 24 * 16
// Sheen: [roughness][cosine], one float. Only with such materials.
export const SHEEN_SIZE = 24;
export const SHEEN_BYTES = 2304;

// Job block; counters are written atomically.
export const JOB_SIZE = 256;
export const JOB_WIDTH = 0;
export const JOB_HEIGHT = 4;
export const JOB_SAMPLE_START = 8;
export const JOB_SAMPLE_COUNT = 12;
export const JOB_MAX_DEPTH = 16;
export const JOB_SEED = 20;
export const JOB_FRAME = 24;
export const JOB_X0 = 28;
export const JOB_Y0 = 32;
export const JOB_X1 = 36;
export const JOB_Y1 = 40;
export const JOB_DIFFUSE_DEPTH = 44;
export const JOB_SPECULAR_DEPTH = 48;
export const JOB_TRANSMISSION_DEPTH = 52;
/** Floats; 0 does not clamp. */
export const JOB_CLAMP_DIRECT = 56;
export const JOB_CLAMP_INDIRECT = 60;
export const JOB_NEXT_BUCKET = 64;
export const JOB_ABORT = 68;
export const JOB_PIXELS_DONE = 72;
/** 1: rough lobes are compensated for multiple scattering. */
export const JOB_ENERGY_COMPENSATION = 76;
/** FILTER_CELLS + 1 floats: offsets in pixels. */
export const JOB_FILTER_TABLE = 80;
/** Bit LAYER_… for each layer asked for. */
export const JOB_LAYERS = 84;
/** Float: standard error at which a block stops; 0 without adaptive sampling. */
export const JOB_ADAPTIVE_THRESHOLD = 88;
export const JOB_ADAPTIVE_MINIMUM = 92;
/** Address of exact sums, one film record a pixel, when they are wanted instead of means; else 0. */
export const JOB_SUMS = 96;
/** Float: how much brighter the picture is shown than traced, which decides what noise of it is seen. */
export const JOB_ADAPTIVE_GAIN = 100;
/** 64-bit counter of the samples that adaptive sampling took. */
export const JOB_SAMPLES_TAKEN = 104;
/** Address of the layer with bit i, at JOB_FILM + 4 i. */
export const JOB_FILM = 128;

// Layers, in the order of domain/layers.ts.
export const LAYER_BEAUTY = 0;
export const LAYER_DIFFUSE_DIRECT = 1;
export const LAYER_DIFFUSE_INDIRECT = 2;
export const LAYER_SPECULAR_DIRECT = 3;
export const LAYER_SPECULAR_INDIRECT = 4;
export const LAYER_TRANSMISSION = 5;
export const LAYER_EMISSION = 6;
export const LAYER_ENVIRONMENT = 7;
export const LAYER_ALBEDO = 8;
export const LAYER_NORMAL = 9;
export const LAYER_POSITION = 10;
export const LAYER_DEPTH = 11;
export const LAYER_MOTION = 12;
export const LAYER_UV = 13;
export const LAYER_SAMPLE_COUNT = 14;
export const LAYER_VARIANCE = 15;
export const LAYER_CRYPTOMATTE_OBJECT = 16;
export const LAYER_CRYPTOMATTE_MATERIAL = 17;
/** Variance of the light layers from LAYER_DIFFUSE_DIRECT to LAYER_TRANSMISSION. */
export const LAYER_DIFFUSE_DIRECT_VARIANCE = 18;
export const LIGHT_VARIANCES = 0x7c0000;
/** Bits of the layers that light must be told apart for: those that add up to the beauty, and their variances. */
export const LIGHT_LAYERS = 0x7c00fe;

// Film record: all that the samples of one pixel leave. Sums are 64-bit integers in quanta of 2^-24.
/** R, G, B, coverage; albedo; normal; luminance and its square (two sums, see film.ts); then the light layers. */
export const SUM_BEAUTY = 0;
export const SUM_ALBEDO = 32;
export const SUM_NORMAL = 56;
export const SUM_LUMINANCE = 80;
export const SUM_LUMINANCE_SQUARED = 88;
/** Bytes of luminance and its square. */
export const STATISTICS_BYTES = 24;
export const SUM_LIGHT = 104; // seven times R, G, B, from LAYER_DIFFUSE_DIRECT on
/** Samples taken. */
export const FILM_SAMPLES = 272;
/** Of the sample nearest to the camera: its number, depth, position, motion, uv. */
export const FILM_NEAREST_SAMPLE = 276;
export const FILM_DEPTH = 280;
export const FILM_POSITION = 284;
export const FILM_MOTION = 296;
export const FILM_UV = 304;
/** Sums again: luminance and its square of the layers that have a variance, five times. */
export const SUM_LIGHT_STATISTICS = 312;
/** Names that the pixel shows: CRYPTO_IDS pairs of id (bits of a float; 0 ends the list) and samples; objects, then materials. */
export const FILM_CRYPTO = 432;
export const CRYPTO_IDS = 32;
export const CRYPTO_BYTES = 256;
/** Without and with names. */
export const FILM_STRIDE = 432;
export const FILM_STRIDE_NAMES = 944;
/** Ranks that cryptomatte layers keep (domain/layers.ts). */
export const CRYPTO_RANKS = 6;

/** Side of the blocks of adaptive sampling, on a grid that is fixed to the picture. */
export const BLOCK = 8;
/** Film records of one block: what each thread works in. */
export const FILM_SCRATCH_SIZE = 60416; // 64 * 944

export const BUCKET = 16;

// Workspace of one thread: traversal stacks and scratch.
export const WORKSPACE_SIZE = 61440;
export const WORKSPACE_MESH_STACK = 8192;
export const WORKSPACE_SCRATCH = 24576;
/** What packet-rays.ts and packet-space.ts keep of rays that are cast together. */
export const WORKSPACE_PACKET = 32768;
/** What wave-paths.ts keeps of paths that go together. */
export const WORKSPACE_PATHS = 45056;

// Scratch for building one BVH of n references (see bvh-build.ts).
export const BUILD_BINS_BYTES = 4096;
export const BUILD_NODE_STRIDE = 48;
/** What bvh-collapse.ts keeps of each node. */
export const COLLAPSE_STRIDE = 36;
