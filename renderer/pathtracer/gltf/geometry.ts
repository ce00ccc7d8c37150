/** A primitive's vertices in the tracer's form: triangles, normals always, tangents where a normal map needs them. */
import { type Primitive, Primitive as PrimitiveClass } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import { type AccessorUse, readFloats, readIndices } from './accessors.ts';

/** What morphing adds at weight 1: three numbers a vertex, of tangents too, whose handedness stays. */
interface MorphTarget {
  positions: Float32Array | null;
  normals: Float32Array | null;
  tangents: Float32Array | null;
}

/** Vertices as in the file, before skinning and morphing; all arrays tightly packed. */
export interface BaseGeometry {
  positions: Float32Array;
  normals: Float32Array;
  /** The file had no normals: they follow from the positions, also after morphing and skinning. */
  flatNormals: boolean;
  tangents: Float32Array | null;
  uv0: Float32Array | null;
  uv1: Float32Array | null;
  colors: Float32Array | null;
  indices: Uint32Array;
  /** Four joints and weights per vertex and set, or null. */
  joints: Uint16Array | null;
  weights: Float32Array | null;
  /** Joints per vertex: 4 or 8. */
  influences: number;
  targets: MorphTarget[];
}

/** Triangle corners of the three primitive modes that are surfaces (glTF 2.0, 3.7.2.1). */
function triangulate(mode: number, corners: Uint32Array): Uint32Array {
  if (mode === PrimitiveClass.Mode.TRIANGLES) return corners.subarray(0, corners.length - (corners.length % 3));
  const count = Math.max(0, corners.length - 2);
  const triangles = new Uint32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const isFan = mode === PrimitiveClass.Mode.TRIANGLE_FAN;
    const odd = i & 1;
    triangles[i * 3] = isFan ? corners[i + 1]! : corners[i]!;
    triangles[i * 3 + 1] = isFan ? corners[i + 2]! : corners[i + 1 + odd]!;
    triangles[i * 3 + 2] = isFan ? corners[0]! : corners[i + 2 - odd]!;
  }
  return triangles;
}

/** Whether a primitive is made of triangles; points and lines have no surface to trace. */
export function isSurface(primitive: Primitive): boolean {
  const mode = primitive.getMode();
  return (
    mode === PrimitiveClass.Mode.TRIANGLES ||
    mode === PrimitiveClass.Mode.TRIANGLE_STRIP ||
    mode === PrimitiveClass.Mode.TRIANGLE_FAN
  );
}

function gather<T extends Float32Array | Uint16Array>(source: T, size: number, order: Uint32Array): T {
  const out = new (source.constructor as new (length: number) => T)(order.length * size);
  for (let i = 0; i < order.length; i++) {
    for (let k = 0; k < size; k++) out[i * size + k] = source[order[i]! * size + k]!;
  }
  return out;
}

/** Unit normal of each triangle given to its three corners, which must not be shared. */
export function computeFlatNormals(positions: Float32Array, indices: Uint32Array, normals: Float32Array): void {
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [indices[i]! * 3, indices[i + 1]! * 3, indices[i + 2]! * 3];
    const ux = positions[b]! - positions[a]!;
    const uy = positions[b + 1]! - positions[a + 1]!;
    const uz = positions[b + 2]! - positions[a + 2]!;
    const vx = positions[c]! - positions[a]!;
    const vy = positions[c + 1]! - positions[a + 1]!;
    const vz = positions[c + 2]! - positions[a + 2]!;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    const length = Math.hypot(nx, ny, nz);
    for (const at of [a, b, c]) {
      normals[at] = length > 0 ? nx / length : 0;
      normals[at + 1] = length > 0 ? ny / length : 1;
      normals[at + 2] = length > 0 ? nz / length : 0;
    }
  }
}

/**
 * Tangents from uv gradients (E. Lengyel, "Computing Tangent Space Basis Vectors for an Arbitrary Mesh", 2001), weighted by
 * corner angle as MikkTSpace does; w is the handedness. Vertices are not split at mirrored seams, where MikkTSpace would:
 * exporters split them already.
 */
function computeTangents(
  positions: Float32Array,
  normals: Float32Array,
  uv: Float32Array,
  indices: Uint32Array,
): Float32Array {
  const vertexCount = positions.length / 3;
  const tangent = new Float32Array(vertexCount * 3);
  const bitangent = new Float32Array(vertexCount * 3);
  const edge = (from: number, to: number): [number, number, number] => [
    positions[to * 3]! - positions[from * 3]!,
    positions[to * 3 + 1]! - positions[from * 3 + 1]!,
    positions[to * 3 + 2]! - positions[from * 3 + 2]!,
  ];
  for (let i = 0; i < indices.length; i += 3) {
    const corner = [indices[i]!, indices[i + 1]!, indices[i + 2]!] as const;
    const [a, b, c] = corner;
    const e1 = edge(a, b);
    const e2 = edge(a, c);
    const du1 = uv[b * 2]! - uv[a * 2]!;
    const dv1 = uv[b * 2 + 1]! - uv[a * 2 + 1]!;
    const du2 = uv[c * 2]! - uv[a * 2]!;
    const dv2 = uv[c * 2 + 1]! - uv[a * 2 + 1]!;
    const sign = du1 * dv2 - du2 * dv1 < 0 ? -1 : 1;
    const t = [0, 1, 2].map((k) => sign * (e1[k]! * dv2 - e2[k]! * dv1));
    const s = [0, 1, 2].map((k) => sign * (e2[k]! * du1 - e1[k]! * du2));
    const tLength = Math.hypot(...t) || 1;
    const sLength = Math.hypot(...s) || 1;
    corner.forEach((vertex, index) => {
      const u = edge(vertex, corner[(index + 1) % 3]!);
      const v = edge(vertex, corner[(index + 2) % 3]!);
      const scale = Math.hypot(...u) * Math.hypot(...v);
      const cosine = scale > 0 ? (u[0] * v[0] + u[1] * v[1] + u[2] * v[2]) / scale : 1;
      const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
      for (let k = 0; k < 3; k++) {
        tangent[vertex * 3 + k]! += (t[k]! / tLength) * angle;
        bitangent[vertex * 3 + k]! += (s[k]! / sLength) * angle;
      }
    });
  }
  const out = new Float32Array(vertexCount * 4);
  for (let v = 0; v < vertexCount; v++) {
    const [nx, ny, nz] = [normals[v * 3]!, normals[v * 3 + 1]!, normals[v * 3 + 2]!];
    let [tx, ty, tz] = [tangent[v * 3]!, tangent[v * 3 + 1]!, tangent[v * 3 + 2]!];
    const along = nx * tx + ny * ty + nz * tz;
    tx -= nx * along;
    ty -= ny * along;
    tz -= nz * along;
    let length = Math.hypot(tx, ty, tz);
    if (length < 1e-12) {
      // No uv gradient here: any direction in the plane is as good.
      [tx, ty, tz] = Math.abs(nx) < 0.9 ? [0, nz, -ny] : [-nz, 0, nx];
      length = Math.hypot(tx, ty, tz) || 1;
    }
    tx /= length;
    ty /= length;
    tz /= length;
    const [bx, by, bz] = [bitangent[v * 3]!, bitangent[v * 3 + 1]!, bitangent[v * 3 + 2]!];
    const handedness = (ny * tz - nz * ty) * bx + (nz * tx - nx * tz) * by + (nx * ty - ny * tx) * bz;
    out.set([tx, ty, tz, handedness < 0 ? -1 : 1], v * 4);
  }
  return out;
}

function normalizeInPlace(normals: Float32Array): Float32Array {
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i]!, normals[i + 1]!, normals[i + 2]!);
    if (length > 0) {
      normals[i]! /= length;
      normals[i + 1]! /= length;
      normals[i + 2]! /= length;
    } else {
      normals[i + 1] = 1;
    }
  }
  return normals;
}

/** Everything of one primitive, checked. `tangentUv` names the uv set of the normal map, or null when there is none. */
export function readPrimitive(
  primitive: Primitive,
  file: string,
  label: string,
  tangentUv: 0 | 1 | null,
): BaseGeometry | null {
  const use = (what: string): AccessorUse => ({ file, what: `${what} of "${label}"` });
  const floats = (semantic: string, size: number, count: number): Float32Array | null => {
    const accessor = primitive.getAttribute(semantic);
    if (!accessor) return null;
    if (accessor.getElementSize() !== size || accessor.getCount() !== count) {
      throw new FarmError('SceneInvalid', `${file}: ${semantic} of "${label}" does not fit its positions`, {
        file,
        mesh: label,
      });
    }
    return readFloats(accessor, use(semantic));
  };
  const positionAccessor = primitive.getAttribute('POSITION');
  if (!positionAccessor) return null;
  const count = positionAccessor.getCount();
  const positions = floats('POSITION', 3, count)!;
  const indexAccessor = primitive.getIndices();
  const corners = indexAccessor
    ? readIndices(indexAccessor, count, use('indices'))
    : Uint32Array.from({ length: count }, (_, i) => i);
  const indices = triangulate(primitive.getMode(), corners);
  if (indices.length === 0) return null;
  const colorAccessor = primitive.getAttribute('COLOR_0');
  let colors = colorAccessor && floats('COLOR_0', colorAccessor.getElementSize(), count);
  if (colors && colorAccessor?.getElementSize() === 3) {
    const rgb = colors;
    colors = Float32Array.from({ length: count * 4 }, (_, i) => ((i & 3) === 3 ? 1 : rgb[(i >> 2) * 3 + (i & 3)]!));
  }
  const { joints, weights, influences } = readSkinning(primitive, count, file, label);
  const targets = primitive.listTargets().map((target, index): MorphTarget => {
    const read = (semantic: string): Float32Array | null => {
      const accessor = target.getAttribute(semantic);
      if (accessor && accessor.getCount() !== count) {
        throw new FarmError('SceneInvalid', `${file}: morph target ${index} of "${label}" has the wrong size`, {
          file,
          mesh: label,
        });
      }
      return accessor ? readFloats(accessor, use(`morph target ${index}`)) : null;
    };
    const tangents = tangentUv === null ? null : read('TANGENT');
    return { positions: read('POSITION'), normals: read('NORMAL'), tangents };
  });
  const normals = floats('NORMAL', 3, count);
  const shared = {
    positions,
    tangents: tangentUv === null ? null : floats('TANGENT', 4, count),
    uv0: floats('TEXCOORD_0', 2, count),
    uv1: floats('TEXCOORD_1', 2, count),
    colors,
    joints,
    weights,
    influences,
    targets,
  };
  const geometry: BaseGeometry = normals
    ? { ...shared, normals: normalizeInPlace(normals.slice()), flatNormals: false, indices }
    : unshareVertices(shared, indices);
  const uv = tangentUv === 1 ? geometry.uv1 : geometry.uv0;
  if (tangentUv !== null && !geometry.tangents && uv) {
    geometry.tangents = computeTangents(geometry.positions, geometry.normals, uv, geometry.indices);
  }
  return geometry;
}

function readSkinning(primitive: Primitive, count: number, file: string, label: string) {
  const sets = [0, 1].flatMap((set) => {
    const jointAccessor = primitive.getAttribute(`JOINTS_${set}`);
    const weightAccessor = primitive.getAttribute(`WEIGHTS_${set}`);
    if (!jointAccessor || !weightAccessor) return [];
    if (jointAccessor.getCount() !== count || weightAccessor.getCount() !== count) {
      throw new FarmError('SceneInvalid', `${file}: joints of "${label}" do not fit its positions`, {
        file,
        mesh: label,
      });
    }
    return [{ j: jointAccessor.getArray()!, w: readFloats(weightAccessor, { file, what: `weights of "${label}"` }) }];
  });
  if (sets.length === 0) return { joints: null, weights: null, influences: 0 };
  const influences = sets.length * 4;
  const joints = new Uint16Array(count * influences);
  const weights = new Float32Array(count * influences);
  for (let v = 0; v < count; v++) {
    let sum = 0;
    sets.forEach(({ j, w }, set) => {
      for (let k = 0; k < 4; k++) {
        joints[v * influences + set * 4 + k] = j[v * 4 + k]!;
        weights[v * influences + set * 4 + k] = w[v * 4 + k]!;
        sum += w[v * 4 + k]!;
      }
    });
    // Quantised weights seldom add up to one exactly, which would make the mesh breathe.
    if (sum > 0) for (let k = 0; k < influences; k++) weights[v * influences + k]! /= sum;
  }
  return { joints, weights, influences };
}

/** A mesh without normals is flat shaded (glTF 2.0, 3.7.2.1), so every corner becomes a vertex of its own. */
function unshareVertices(
  source: Omit<BaseGeometry, 'normals' | 'indices' | 'flatNormals'>,
  order: Uint32Array,
): BaseGeometry {
  const pick = (array: Float32Array | null, size: number): Float32Array | null => array && gather(array, size, order);
  const positions = gather(source.positions, 3, order);
  const indices = Uint32Array.from({ length: order.length }, (_, i) => i);
  const normals = new Float32Array(positions.length);
  computeFlatNormals(positions, indices, normals);
  return {
    positions,
    normals,
    flatNormals: true,
    // Tangents without normals are to be ignored.
    tangents: null,
    uv0: pick(source.uv0, 2),
    uv1: pick(source.uv1, 2),
    colors: pick(source.colors, 4),
    indices,
    joints: source.joints && gather(source.joints, source.influences, order),
    weights: pick(source.weights, source.influences),
    influences: source.influences,
    targets: source.targets.map((target) => ({ positions: pick(target.positions, 3), normals: null, tangents: null })),
  };
}
