/** Small scenes that tests write themselves. */
import { writeFile } from 'node:fs/promises';
import { Document, NodeIO } from '@gltf-transform/core';

/** A turning cube on nothing, with a camera; `seconds` of animation. About a kilobyte. */
export async function cubeScene(seconds = 1): Promise<Document> {
  const document = new Document();
  const buffer = document.createBuffer();
  const { positions, indices } = cube();
  const primitive = document
    .createPrimitive()
    .setAttribute('POSITION', document.createAccessor().setType('VEC3').setArray(positions).setBuffer(buffer))
    .setIndices(document.createAccessor().setType('SCALAR').setArray(indices).setBuffer(buffer))
    .setMaterial(
      document
        .createMaterial('clay')
        .setBaseColorFactor([0.7, 0.3, 0.2, 1])
        .setRoughnessFactor(0.5)
        .setMetallicFactor(0),
    );
  const cubeNode = document.createNode('cube').setMesh(document.createMesh('cube').addPrimitive(primitive));
  const camera = document.createCamera('main').setType('perspective').setYFov(0.7).setZNear(0.1);
  const cameraNode = document.createNode('main').setCamera(camera).setTranslation([0, 0, 5]);
  document.createScene().addChild(cubeNode).addChild(cameraNode);
  const half = Math.SQRT1_2;
  const sampler = document
    .createAnimationSampler()
    .setInput(
      document
        .createAccessor()
        .setType('SCALAR')
        .setArray(new Float32Array([0, seconds]))
        .setBuffer(buffer),
    )
    .setOutput(
      document
        .createAccessor()
        .setType('VEC4')
        .setArray(new Float32Array([0, 0, 0, 1, 0, half, 0, half]))
        .setBuffer(buffer),
    )
    .setInterpolation('LINEAR');
  const channel = document
    .createAnimationChannel()
    .setTargetNode(cubeNode)
    .setTargetPath('rotation')
    .setSampler(sampler);
  document.createAnimation('turn').addSampler(sampler).addChannel(channel);
  return document;
}

/** Writes a scene that differs with `variant`, so that no two tests share blobs unless they want to. */
export async function writeCube(path: string, { seconds = 1, variant = '' } = {}): Promise<string> {
  const document = await cubeScene(seconds);
  document.getRoot().getAsset().generator = `framewright test ${variant}`;
  await writeFile(path, await new NodeIO().writeBinary(document));
  return path;
}

function cube(): { positions: Float32Array; indices: Uint16Array } {
  const positions: number[] = [];
  const indices: number[] = [];
  for (const axis of [0, 1, 2]) {
    for (const side of [-1, 1]) {
      const base = positions.length / 3;
      for (const [u, v] of [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ] as const) {
        const corner = [0, 0, 0];
        corner[axis] = side;
        corner[(axis + 1) % 3] = u * side;
        corner[(axis + 2) % 3] = v;
        positions.push(...corner);
      }
      indices.push(base, base + 1, base + 2, base, base + 2, base + 3);
    }
  }
  return { positions: new Float32Array(positions), indices: new Uint16Array(indices) };
}
