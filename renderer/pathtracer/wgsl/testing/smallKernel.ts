/** A kernel that a software driver compiles in a moment, for tests of everything around light transport. */
import { loadTracerWgsl } from '../module.ts';

/** The tracer's WGSL, in which a path ends at once with a light that depends on frame, pixel and sample. */
export async function smallKernel(): Promise<string> {
  const { text } = await loadTracerWgsl();
  const start = text.indexOf('fn integrator_stepPath() -> bool {\n');
  // The variable that the film takes a sample's light from.
  const [, radiance] = /replace_lane3\((\w+), integrator_coverage\)/.exec(text) ?? [];
  if (start < 0 || !radiance) throw new Error('the tracer has no integrator_stepPath, or the film no light');
  const end = text.indexOf('\n}', start);
  return `${text.slice(0, start)}fn integrator_stepPath() -> bool {
  rays_cast += 1u;
  ${radiance} = sampler_sample4(7u);
  integrator_coverage = 1.0f;
  return false;${text.slice(end)}`;
}
