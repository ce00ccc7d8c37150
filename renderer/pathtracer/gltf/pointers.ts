/**
 * What the JSON pointers of KHR_animation_pointer stand for. Nodes become ordinary channels; materials are set in the
 * glTF-Transform document by the setters of the same name, whatever extension they belong to; everything else (cameras,
 * lights, vendor extensions) is set in the JSON and read from there again.
 */
import type { GLTF, Material, TextureInfo } from '@gltf-transform/core';
import type { NodePath } from './animation.ts';

/** A node's own channel, for one node or for all that use a mesh. */
interface NodeTarget {
  nodes: number[];
  path: NodePath;
}

interface ValueTarget {
  size: number;
  write: (value: number[]) => void;
}

/** `unseen`: it exists and nothing of this scene shows it. `unknown`: it does not exist, or this engine does not read it. */
type Target = NodeTarget | ValueTarget | 'unseen' | 'unknown';

export interface PointerContext {
  json: GLTF.IGLTF;
  materials: Material[];
  /** Index in `LoadedScene.nodes` by index in the file. */
  nodeIndex: Map<number, number>;
  /** Whether a surface of the scene uses this material of the file. */
  isMaterialUsed: (source: number) => boolean;
}

type Json = Record<string, unknown>;

const NODE_PATHS: Record<string, NodePath> = {
  translation: 'translation',
  rotation: 'rotation',
  scale: 'scale',
  weights: 'weights',
  'extensions/KHR_node_visibility/visible': 'visible',
};

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** A method of a glTF-Transform object by its name in any case: the library writes `yfov` as `YFov`, `ior` as `IOR`. */
function methodOf(owner: object, name: string): ((value?: unknown) => unknown) | null {
  const wanted = name.toLowerCase();
  for (let type = Object.getPrototypeOf(owner); type && type !== Object.prototype; type = Object.getPrototypeOf(type)) {
    const found = Object.getOwnPropertyNames(type).find((method) => method.toLowerCase() === wanted);
    if (found) return (owner as Record<string, (value?: unknown) => unknown>)[found]!.bind(owner);
  }
  return null;
}

/** What the loader reads from the JSON at every time, and how many numbers that is. */
const READ_FROM_JSON: { pattern: RegExp; size: number }[] = [
  { pattern: /^\/cameras\/\d+\/perspective\/(yfov|aspectRatio|znear)$/, size: 1 },
  { pattern: /^\/cameras\/\d+\/orthographic\/(xmag|ymag|znear)$/, size: 1 },
  { pattern: /^\/cameras\/\d+\/extensions\/FRAMEWRIGHT_lens\/(fStop|focusDistance|blades)$/, size: 1 },
  { pattern: /^\/extensions\/KHR_lights_punctual\/lights\/\d+\/color$/, size: 3 },
  { pattern: /^\/extensions\/KHR_lights_punctual\/lights\/\d+\/intensity$/, size: 1 },
  { pattern: /^\/extensions\/KHR_lights_punctual\/lights\/\d+\/spot\/(inner|outer)ConeAngle$/, size: 1 },
  { pattern: /^(\/scenes\/\d+)?\/extensions\/FRAMEWRIGHT_environment\/(intensity|rotation)$/, size: 1 },
];

/** Finds and remembers what pointers set; knows afterwards which materials must be read anew at each time. */
export class PointerTargets {
  /** Indices in the file of materials that some pointer sets. */
  readonly materials = new Set<number>();
  private readonly context: PointerContext;

  constructor(context: PointerContext) {
    this.context = context;
  }

  /** What a JSON pointer (RFC 6901) of the glTF object model stands for. */
  resolve(pointer: string): Target {
    if (!pointer.startsWith('/')) return 'unknown';
    const tokens = pointer
      .slice(1)
      .split('/')
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    const [list, index, ...rest] = tokens;
    if (list === 'nodes') return this.node(Number(index), rest);
    if (list === 'meshes') return this.meshWeights(Number(index), rest);
    if (list === 'materials') return this.material(Number(index), rest);
    return this.inJson(tokens);
  }

  private node(source: number, rest: string[]): Target {
    const path = NODE_PATHS[rest.join('/')];
    if (!path || !this.context.json.nodes?.[source]) return 'unknown';
    const node = this.context.nodeIndex.get(source);
    return node === undefined ? 'unseen' : { nodes: [node], path };
  }

  /** A mesh's weights are those of the nodes that use it and have none of their own. */
  private meshWeights(mesh: number, rest: string[]): Target {
    const { json, nodeIndex } = this.context;
    if (rest.join('/') !== 'weights' || !json.meshes?.[mesh]) return 'unknown';
    const nodes = [...nodeIndex].flatMap(([source, node]) => {
      const { mesh: used, weights } = json.nodes![source]!;
      return used === mesh && !weights?.length ? [node] : [];
    });
    return nodes.length > 0 ? { nodes, path: 'weights' } : 'unseen';
  }

  private material(source: number, rest: string[]): Target {
    const material = this.context.materials[source];
    const found = material && this.materialProperty(material, rest);
    if (!found) return 'unknown';
    if (!this.context.isMaterialUsed(source)) return 'unseen';
    this.materials.add(source);
    return found;
  }

  /** Walks from a material over extensions and texture references to one property. */
  private materialProperty(material: Material, path: string[]): ValueTarget | null {
    const tokens = path[0] === 'pbrMetallicRoughness' ? path.slice(1) : path;
    let owner: object | null = material;
    for (let i = 0; i < tokens.length - 1; i++) {
      const token = tokens[i]!;
      if (token === 'extensions') {
        owner = (owner as Material).getExtension(tokens[++i]!);
      } else if (token.endsWith('Texture') && tokens[i + 1] === 'extensions') {
        owner = (methodOf(owner!, `get${token}Info`)?.() as TextureInfo | null | undefined) ?? null;
      } else if (token.endsWith('Texture') && i === tokens.length - 2) {
        // `normalTexture/scale` and `occlusionTexture/strength` are properties of the material in the library.
        return this.property(owner!, token.slice(0, -'Texture'.length) + tokens[i + 1]!);
      } else {
        return null;
      }
      if (!owner) return null;
    }
    const last = tokens.at(-1);
    return last && owner ? this.property(owner, last) : null;
  }

  private property(owner: object, name: string): ValueTarget | null {
    const [get, set] = [methodOf(owner, `get${name}`), methodOf(owner, `set${name}`)];
    const value = get?.();
    if (!set) return null;
    if (typeof value === 'number') return { size: 1, write: ([next]) => set(next) };
    const isVector = Array.isArray(value) && value.every((item) => typeof item === 'number');
    return isVector ? { size: value.length, write: (next) => set(next) } : null;
  }

  /** Optional numbers may be absent; what holds them may not. */
  private inJson(tokens: string[]): Target {
    const known = READ_FROM_JSON.find(({ pattern }) => pattern.test(`/${tokens.join('/')}`));
    if (!known) return 'unknown';
    let owner: unknown = this.context.json;
    for (const token of tokens.slice(0, -1)) {
      if (!isObject(owner) || !Object.hasOwn(owner, token)) return 'unknown';
      owner = owner[token];
    }
    if (!isObject(owner)) return 'unknown';
    const holder = owner;
    const { size } = known;
    return {
      size,
      write: (next) => {
        holder[tokens.at(-1)!] = size === 1 ? next[0] : [...next];
      },
    };
  }
}
