/** Puts a scene together, of shapes, materials and nodes, as a glTF-Transform document. */
import { Document, type Material, type Mesh, type Node } from '@gltf-transform/core';
import { KHRMaterialsIOR, KHRMaterialsTransmission, KHRMaterialsVolume } from '@gltf-transform/extensions';
import type { Shape } from './shapes.ts';

export type Rgb = [number, number, number];

/** Adds materials, meshes and nodes to one document. */
export class SetBuilder {
  readonly document = new Document();
  private readonly buffer = this.document.createBuffer();
  private readonly scene = this.document.createScene('shot');
  private readonly transmission = this.document.createExtension(KHRMaterialsTransmission);
  private readonly ior = this.document.createExtension(KHRMaterialsIOR);
  private readonly volume = this.document.createExtension(KHRMaterialsVolume);

  private readonly fps: number;

  /** @param fps frames a second, for what moves */
  constructor(fps: number) {
    this.fps = fps;
  }

  material(name: string, color: Rgb, metallic: number, roughness: number): Material {
    return this.document
      .createMaterial(name)
      .setBaseColorFactor([...color, 1])
      .setMetallicFactor(metallic)
      .setRoughnessFactor(roughness);
  }

  /** Solid glass that colours light over `distance` metres. */
  glass(name: string, color: Rgb, distance: number, roughness = 0): Material {
    return this.material(name, [1, 1, 1], 0, roughness)
      .setExtension('KHR_materials_transmission', this.transmission.createTransmission().setTransmissionFactor(1))
      .setExtension('KHR_materials_ior', this.ior.createIOR().setIOR(1.5))
      .setExtension(
        'KHR_materials_volume',
        this.volume.createVolume().setThicknessFactor(1).setAttenuationColor(color).setAttenuationDistance(distance),
      );
  }

  mesh(name: string, shape: Shape, material: Material): Mesh {
    const attribute = (array: Float32Array, type: 'VEC2' | 'VEC3') =>
      this.document.createAccessor().setArray(Float32Array.from(array)).setType(type).setBuffer(this.buffer);
    const primitive = this.document
      .createPrimitive()
      .setAttribute('POSITION', attribute(shape.positions, 'VEC3'))
      .setAttribute('NORMAL', attribute(shape.normals, 'VEC3'))
      .setIndices(
        this.document
          .createAccessor()
          .setArray(Uint32Array.from(shape.indices))
          .setType('SCALAR')
          .setBuffer(this.buffer),
      )
      .setMaterial(material);
    if (shape.uvs) primitive.setAttribute('TEXCOORD_0', attribute(shape.uvs, 'VEC2'));
    return this.document.createMesh(name).addPrimitive(primitive);
  }

  /** Places a mesh; `turn` is about +Y, degrees. */
  place(name: string, mesh: Mesh | null, at: Rgb, size = 1, turn = 0, parent?: Node): Node {
    const half = (turn * Math.PI) / 360;
    const node = this.document
      .createNode(name)
      .setTranslation(at)
      .setScale([size, size, size])
      .setRotation([0, Math.sin(half), 0, Math.cos(half)])
      .setMesh(mesh);
    if (parent) parent.addChild(node);
    else this.scene.addChild(node);
    return node;
  }

  /** One value a frame, linear in between. */
  animate(clip: string, node: Node, target: 'rotation' | 'translation', values: number[][]): void {
    const animation =
      this.document
        .getRoot()
        .listAnimations()
        .find((existing) => existing.getName() === clip) ?? this.document.createAnimation(clip);
    const input = this.document
      .createAccessor()
      .setArray(Float32Array.from(values, (_, frame) => frame / this.fps))
      .setType('SCALAR')
      .setBuffer(this.buffer);
    const output = this.document
      .createAccessor()
      .setArray(Float32Array.from(values.flat()))
      .setType(target === 'rotation' ? 'VEC4' : 'VEC3')
      .setBuffer(this.buffer);
    const sampler = this.document.createAnimationSampler().setInput(input).setOutput(output).setInterpolation('LINEAR');
    animation
      .addSampler(sampler)
      .addChannel(this.document.createAnimationChannel().setSampler(sampler).setTargetNode(node).setTargetPath(target));
  }
}
