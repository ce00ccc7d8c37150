/** The raster draft's render pipelines. */
/// <reference types="@webgpu/types" />
import { VERTEX_FLOATS } from './resources.ts';
import { RASTER_SHADER } from './shader.ts';
import { COLOUR_FORMATS, DEPTH_FORMAT } from './target.ts';

export interface RasterPipelines {
  viewLayout: GPUBindGroupLayout;
  materialLayout: GPUBindGroupLayout;
  solid: GPURenderPipeline;
  seeThrough: GPURenderPipeline;
  background: GPURenderPipeline;
}

export function createPipelines(device: GPUDevice): RasterPipelines {
  const module = device.createShaderModule({ code: RASTER_SHADER });
  const both = GPUShaderStage.VERTEX | GPUShaderStage.FRAGMENT;
  const viewLayout = device.createBindGroupLayout({
    entries: [0, 1, 2, 3, 4, 5].map((binding) => ({
      binding,
      visibility: both,
      buffer: { type: binding === 0 ? 'uniform' : 'read-only-storage' },
    })),
  });
  const materialLayout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: both, buffer: { type: 'uniform' } },
      ...[1, 3, 5, 7].flatMap((binding): GPUBindGroupLayoutEntry[] => [
        { binding, visibility: GPUShaderStage.FRAGMENT, texture: {} },
        { binding: binding + 1, visibility: GPUShaderStage.FRAGMENT, sampler: {} },
      ]),
    ],
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [viewLayout, materialLayout] });
  const sizes = [3, 3, 4, 4, 4];
  const buffers: GPUVertexBufferLayout[] = [
    {
      arrayStride: VERTEX_FLOATS * 4,
      attributes: sizes.map((size, shaderLocation) => ({
        shaderLocation,
        format: `float32x${size}` as GPUVertexFormat,
        offset: sizes.slice(0, shaderLocation).reduce((a, b) => a + b, 0) * 4,
      })),
    },
  ];
  const over: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' };
  const surfaces = (isSeeThrough: boolean): GPURenderPipeline =>
    device.createRenderPipeline({
      layout,
      vertex: { module, entryPoint: 'corner', buffers },
      fragment: {
        module,
        entryPoint: 'surface',
        targets: COLOUR_FORMATS.map((format, index) =>
          isSeeThrough && index === 0 ? { format, blend: { color: over, alpha: over } } : { format },
        ),
      },
      // Both sides show, as in the path tracer.
      primitive: { topology: 'triangle-list', cullMode: 'none' },
      depthStencil: { format: DEPTH_FORMAT, depthCompare: 'greater', depthWriteEnabled: !isSeeThrough },
    });
  return {
    viewLayout,
    materialLayout,
    solid: surfaces(false),
    seeThrough: surfaces(true),
    background: device.createRenderPipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [viewLayout] }),
      vertex: { module, entryPoint: 'everywhere' },
      fragment: { module, entryPoint: 'background', targets: COLOUR_FORMATS.map((format) => ({ format })) },
      primitive: { topology: 'triangle-list' },
      depthStencil: { format: DEPTH_FORMAT, depthCompare: 'equal', depthWriteEnabled: false },
    }),
  };
}
