/**
 * Kernels that answer records with single translated functions, for tests: the same questions that the CPU tier's probes
 * (`wasm/assembly/probe-*.ts`) answer, and little enough code that a software driver compiles it in seconds.
 */
/// <reference types="@webgpu/types" />
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { OpenGpu } from '../../../gpu/device.ts';
import type { Heap } from '../../wasm/heap.ts';
import { emptyFunctions } from '../features.ts';
import { MemoryImage } from '../memoryImage.ts';
// @ts-expect-error the translator is plain JavaScript, which the build runs
import { translateProgram } from '../translate/program.js';

const SOURCES = fileURLToPath(new URL('../../wasm/assembly', import.meta.url));
const TWINS = fileURLToPath(new URL('../twins', import.meta.url));
const WORKGROUP = 32;

/** Reading and writing a record, by byte address within all records. */
const RECORDS = `
@group(0) @binding(2) var<storage, read_write> records: array<u32>;
@must_use fn get_u32(at: u32) -> u32 { return records[at >> 2u]; }
@must_use fn get_f32(at: u32) -> f32 { return bitcast<f32>(get_u32(at)); }
@must_use fn get_vec4(at: u32) -> vec4<f32> { return vec4<f32>(get_f32(at), get_f32(at + 4u), get_f32(at + 8u), get_f32(at + 12u)); }
fn put_u32(at: u32, value: u32) { records[at >> 2u] = value; }
fn put_f32(at: u32, value: f32) { put_u32(at, bitcast<u32>(value)); }
fn put_vec4(at: u32, value: vec4<f32>) { for (var i = 0u; i < 4u; i++) { put_f32(at + 4u * i, value[i]); } }
`;

export interface FunctionQuestions {
  gpu: OpenGpu;
  /** The memory that addresses in records point into. */
  heap: Heap;
  /** Hand-written files beside memory.wgsl and builtins.wgsl that the function needs. */
  twins: readonly string[];
  /** WGSL of `fn answer(at: u32)`, which reads the record at byte `at` and writes the answers into it. */
  code: string;
  /** Functions that no record needs, by name or as `module_`. */
  emptied?: readonly string[];
  records: { address: number; count: number; stride: number };
}

/** Answers all records on the GPU; those in memory stay as they are. Throws what `OpenGpu.scoped` throws. */
export async function answerOnGpu(questions: FunctionQuestions): Promise<DataView<ArrayBuffer>> {
  const { gpu, heap, records } = questions;
  const code = await programOf(questions);
  const image = new MemoryImage(gpu, heap);
  const bytes = records.count * records.stride;
  const given = heap.bytes(records.address, bytes).slice();
  await image.upload();
  try {
    return await gpu.scoped('the questions', async () => {
      const { device } = gpu;
      const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
      // All bindings, though a function may need no memory.
      const layout = device.createBindGroupLayout({
        entries: (['read-only-storage', 'read-only-storage', 'storage'] as const).map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type },
        })),
      });
      const pipeline = await device.createComputePipelineAsync({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ code }), entryPoint: 'answer_all' },
      });
      const buffer = device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC | COPY_DST });
      const back = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
      device.queue.writeBuffer(buffer, 0, given);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout,
          entries: [image.buffer, image.buffer, buffer].map((bound, binding) => ({
            binding,
            resource: { buffer: bound },
          })),
        }),
      );
      pass.dispatchWorkgroups(Math.ceil(records.count / WORKGROUP));
      pass.end();
      encoder.copyBufferToBuffer(buffer, 0, back, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await back.mapAsync(MAP_READ);
      return new DataView(back.getMappedRange().slice(0));
    });
  } finally {
    image.free();
  }
}

async function programOf({ twins, code, emptied = [], records }: FunctionQuestions): Promise<string> {
  const files = ['builtins.wgsl', 'memory.wgsl', ...twins];
  const parts = await Promise.all(files.map((name) => readFile(`${TWINS}/${name}`, 'utf8')));
  const entry = `
@compute @workgroup_size(${WORKGROUP}) fn answer_all(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < ${records.count}u) { answer(id.x * ${records.stride}u); }
}`;
  const written = [...parts, RECORDS, code, entry].join('\n');
  const modules = (await readdir(SOURCES)).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3));
  const text = `${written}\n${translateProgram(SOURCES, modules, written) as string}\n`;
  return emptyFunctions(text, emptied).text;
}

/** A direction, evenly spread over the sphere. */
export function directionOf(next: () => number): [number, number, number] {
  const z = 2 * next() - 1;
  const turn = 2 * Math.PI * next();
  const r = Math.sqrt(1 - z * z);
  return [r * Math.cos(turn), r * Math.sin(turn), z];
}

/** Whether two values agree: relatively, and absolutely near zero. */
export const isNear = (a: number, b: number, relative: number, absolute = relative): boolean =>
  Object.is(a, b) || Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b)) + absolute;
