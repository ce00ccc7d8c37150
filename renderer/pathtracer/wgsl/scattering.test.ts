/**
 * How surfaces scatter, on both tiers: the translated WGSL against the WebAssembly, lobe by lobe, over thousands of seeded
 * questions. A kernel holds the lobes of its materials only, for the sake of compiling.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenGpu, openGpu } from '../../gpu/device.ts';
import { seededRandom } from '../../testing/statistics.ts';
import type { SurfaceMaterial } from '../scene/description.ts';
import * as probes from '../wasm/assembly/layout-probe.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { type BsdfAnswer, BsdfProbe, type BsdfQuestion, type Direction, readAnswer } from '../wasm/test-bsdf.ts';
import { material } from '../wasm/test-scenes.ts';
import { answerOnGpu, directionOf, isNear } from './testing/functionKernel.ts';
import { hasVulkanForTests } from './testing/softwareVulkan.ts';

const VULKAN = hasVulkanForTests();

let gpu: OpenGpu;
// From sources the tracer may have to be built first.
beforeAll(async () => {
  await loadTracerModule();
  if (VULKAN) gpu = await openGpu({ allowSoftware: true });
}, 300_000);
afterAll(() => gpu?.close());

describe.skipIf(!VULKAN)('surfaces of the GPU tier and of the CPU tier', () => {
  type Changes = Partial<SurfaceMaterial>;
  const plain = [
    'energy_anisotropicEnergyAt',
    'energy_averageAnisotropicEnergyAt',
    'glass_',
    'medium_',
    'clearcoat_',
    'sheen_',
    'iridescence_',
    'texture_sampleTexture',
  ];
  const without = (...used: string[]): string[] => plain.filter((name) => !used.includes(name));
  const roughnesses = [0.08, 0.3, 0.7, 1];
  const overRoughness = (changes: Changes): Changes[] => roughnesses.map((roughness) => ({ ...changes, roughness }));
  const lobes: { name: string; materials: Changes[]; emptied: string[] }[] = [
    {
      name: 'plastic, metal and mixtures',
      materials: [
        ...overRoughness({ baseColor: [0.8, 0.4, 0.1, 1] }),
        ...overRoughness({ metallic: 1, baseColor: [0.9, 0.7, 0.3, 1] }),
        ...overRoughness({
          metallic: 0.4,
          specular: { factor: 0.7, texture: null, color: [1, 0.8, 0.6], colorTexture: null },
        }),
        ...overRoughness({ metallic: 1, anisotropy: { strength: 0.7, rotation: 0.4, texture: null } }),
      ],
      emptied: [
        ...without('energy_anisotropicEnergyAt', 'energy_averageAnisotropicEnergyAt'),
        'bsdf_prepareLayers',
        'bsdf_evaluateLayers',
        'bsdf_sampleGlass',
      ],
    },
    {
      name: 'glass, thin and thick',
      materials: [
        ...overRoughness({ transmission: 1, thickness: 1, ior: 1.45 }),
        ...overRoughness({ transmission: 0.6, baseColor: [0.7, 0.9, 1, 1] }),
        { transmission: 1, thickness: 1, roughness: 0 },
      ],
      emptied: without('glass_', 'medium_'),
    },
    {
      name: 'coat, sheen and thin film',
      materials: [
        ...overRoughness({
          clearcoat: {
            factor: 1,
            texture: null,
            roughness: 0.2,
            roughnessTexture: null,
            normalTexture: null,
            normalScale: 1,
          },
        }),
        ...overRoughness({
          sheen: { color: [1, 0.6, 0.3], colorTexture: null, roughness: 0.5, roughnessTexture: null },
        }),
        ...overRoughness({
          metallic: 1,
          iridescence: {
            ...{
              factor: 1,
              texture: null,
              ior: 1.3,
              thicknessMinimum: 100,
              thicknessMaximum: 400,
              thicknessTexture: null,
            },
          },
        }),
      ],
      emptied: [...without('clearcoat_', 'sheen_', 'iridescence_'), 'bsdf_sampleGlass'],
    },
  ];

  it.each(lobes)('scatter alike: $name', { timeout: 300_000 }, async ({ materials, emptied }) => {
    const probe = await BsdfProbe.create();
    const next = seededRandom(14);
    const questions = Array.from({ length: 256 }, (_, i): BsdfQuestion => {
      const [x, y, z] = directionOf(next);
      return {
        outgoing: [x, y, Math.max(0.01, Math.abs(z))],
        incoming: directionOf(next),
        numbers: [next(), next(), next(), next()],
        coatNormal: i % 2 ? [0, 0, 1] : ([0.1, -0.05, Math.sqrt(1 - 0.0125)] as Direction),
        isBack: i % 4 === 3,
      };
    });
    const records = probe.write(
      materials.map((changes) => material(changes)),
      questions,
    );
    const code = `
      fn answer(at: u32) {
        energy_setEnergyTables(${probe.scene}u);
        sheen_setSheenScene(${probe.scene}u);
        bsdf_setEnergyCompensation(true);
        medium_resetMedium();
        surface_describeBare(
          get_u32(at + u32(layout_probe_PROBE_MATERIAL)), ${probe.mesh}u, (get_u32(at + u32(layout_probe_PROBE_FLAGS)) & 1u) != 0u,
          get_vec4(at + u32(layout_probe_PROBE_COAT_NORMAL)));
        bsdf_prepareBsdf(get_vec4(at + u32(layout_probe_PROBE_OUTGOING)), get_f32(at + u32(layout_probe_PROBE_PREPARE_CHOICE)));
        put_u32(at + u32(layout_probe_PROBE_IS_DELTA), select(0u, 1u, bsdf_bsdfIsDelta));
        bsdf_evaluateBsdf(get_vec4(at + u32(layout_probe_PROBE_INCOMING)));
        put_vec4(at + u32(layout_probe_PROBE_EVALUATED_DIFFUSE), bsdf_evaluatedDiffuse);
        put_vec4(at + u32(layout_probe_PROBE_EVALUATED_SPECULAR), bsdf_evaluatedSpecular);
        put_vec4(at + u32(layout_probe_PROBE_EVALUATED_TRANSMISSION), bsdf_evaluatedTransmission);
        put_f32(at + u32(layout_probe_PROBE_EVALUATED_DENSITY), bsdf_evaluatedDensity);
        let found = bsdf_sampleBsdf(
          get_f32(at + u32(layout_probe_PROBE_CHOICE)), get_f32(at + u32(layout_probe_PROBE_U0)), get_f32(at + u32(layout_probe_PROBE_U1)));
        put_u32(at + u32(layout_probe_PROBE_IS_SAMPLED), select(0u, 1u, found));
        put_vec4(at + u32(layout_probe_PROBE_SAMPLED_DIRECTION), bsdf_sampledDirection);
        put_vec4(at + u32(layout_probe_PROBE_SAMPLED_DIFFUSE), bsdf_sampledDiffuse);
        put_vec4(at + u32(layout_probe_PROBE_SAMPLED_SPECULAR), bsdf_sampledSpecular);
        put_vec4(at + u32(layout_probe_PROBE_SAMPLED_TRANSMISSION), bsdf_sampledTransmission);
        put_f32(at + u32(layout_probe_PROBE_SAMPLED_DENSITY), bsdf_sampledDensity);
        put_f32(at + u32(layout_probe_PROBE_SAMPLED_ETA_SCALE), bsdf_sampledEtaScale);
        put_u32(at + u32(layout_probe_PROBE_SAMPLED_FLAGS), select(0u, 1u, bsdf_sampledDelta) | select(0u, 2u, bsdf_sampledThrough));
        put_u32(at + u32(layout_probe_PROBE_SAMPLED_KIND), u32(bsdf_sampledKind));
      }`;
    const view = await answerOnGpu({
      ...{ gpu, heap: probe.heap, code, emptied },
      twins: ['sampler.wgsl', 'lookups.wgsl'],
      records: { ...records, stride: probes.PROBE_STRIDE },
    });
    const there = Array.from({ length: records.count }, (_, i) => readAnswer(view, i * probes.PROBE_STRIDE));
    const here = probe.answer(records);
    const other = here.filter((answer, i) => !agree(answer, there[i]!));
    expect(here.filter(({ density }) => density > 0).length).toBeGreaterThan(records.count / 4);
    expect(here.filter(({ sample }) => sample !== null).length).toBeGreaterThan(records.count / 2);
    expect(other.length).toBeLessThanOrEqual(records.count / 500);
  });
});

function agree(a: BsdfAnswer, b: BsdfAnswer): boolean {
  const near = (one: readonly number[], two: readonly number[]): boolean =>
    one.every((value, k) => isNear(value, two[k]!, 1e-3, 1e-6));
  if (a.isDelta !== b.isDelta || (a.sample === null) !== (b.sample === null)) return false;
  if (
    !near(
      [...a.diffuse, ...a.specular, ...a.transmission, a.density],
      [...b.diffuse, ...b.specular, ...b.transmission, b.density],
    )
  )
    return false;
  if (!a.sample || !b.sample) return true;
  const [s, t] = [a.sample, b.sample];
  const names = (x: typeof s): unknown[] => [x.isDelta, x.isThrough, x.kind];
  const numbers = (x: typeof s): number[] => [
    ...[...x.direction, ...x.diffuse, ...x.specular, ...x.transmission],
    ...[x.density, x.etaScale],
  ];
  return names(s).every((value, k) => value === names(t)[k]) && near(numbers(s), numbers(t));
}
