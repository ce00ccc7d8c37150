// What a path is inside of: a short stack of volumes, the innermost last, and the wavelength that dispersion gave it. Both
// belong to the path's state: a wavefront saves them with it.
//
// Volumes may lie within each other (ice in water in a glass): entering one puts it on top, leaving takes it out wherever it
// lies, and the index of refraction is that of the top on either side. Where volumes overlap, the one entered last rules;
// glTF has no priorities as in Schmidt and Budge 2002. A fifth volume inside of four is entered without being remembered.
// A path that starts inside a volume is taken to be outside of all; leaving a volume that is not there leads to the top.
import { FLAG_DISPERSION, MATERIAL_ATTENUATION, MATERIAL_DISPERSION, MATERIAL_FLAGS, MATERIAL_IOR } from './layout';
import { expNegative } from './math';
import { vec, x, y, z } from './vec';

/** Material records of the volumes around the path, outermost first; 0 where there is none. */
export let volume0: usize = 0;
export let volume1: usize = 0;
export let volume2: usize = 0;
export let volume3: usize = 0;
/** Between -1 and 3: red is 0, green 1, blue 2. Below -1 the path still carries all colours. */
export let wavelength: f32 = <f32>-2.0;

/** For a path that starts. */
export function resetMedium(): void {
  volume0 = 0;
  volume1 = 0;
  volume2 = 0;
  volume3 = 0;
  wavelength = <f32>-2.0;
}

/** For a wavefront that takes a path up again. */
export function restoreMedium(first: usize, second: usize, third: usize, fourth: usize, colour: f32): void {
  volume0 = first;
  volume1 = second;
  volume2 = third;
  volume3 = fourth;
  wavelength = colour;
}

/** Material record of the innermost volume, or 0. */
export function currentMedium(): usize {
  if (volume3) return volume3;
  if (volume2) return volume2;
  return volume1 ? volume1 : volume0;
}

/** Takes the path through the boundary of the volume that `material` encloses. */
export function crossBoundary(material: usize, entering: bool): void {
  if (entering) {
    if (!volume0) volume0 = material;
    else if (!volume1) volume1 = material;
    else if (!volume2) volume2 = material;
    else if (!volume3) volume3 = material;
    return;
  }
  // The innermost volume of that material goes, and what was inside of it moves up.
  if (volume3 == material) {
    volume3 = 0;
  } else if (volume2 == material) {
    volume2 = volume3;
    volume3 = 0;
  } else if (volume1 == material) {
    volume1 = volume2;
    volume2 = volume3;
    volume3 = 0;
  } else if (volume0 == material) {
    volume0 = volume1;
    volume1 = volume2;
    volume2 = volume3;
    volume3 = 0;
  }
}

/** Index of refraction at the path's wavelength (KHR_materials_dispersion: linear over the channels about green). */
function indexOf(material: usize): f32 {
  if (!material) return <f32>1.0;
  const ior = load<f32>(material, MATERIAL_IOR);
  if ((load<i32>(material, MATERIAL_FLAGS) & FLAG_DISPERSION) == 0 || wavelength < <f32>-1.0) return ior;
  return max<f32>(ior + (ior - <f32>1.0) * <f32>0.025 * load<f32>(material, MATERIAL_DISPERSION) * (wavelength - <f32>1.0), <f32>1.0);
}

/** Far over near index of refraction at the boundary of the volume that `material` encloses. */
export function relativeIor(material: usize, entering: bool): f32 {
  const top = currentMedium();
  if (entering) return indexOf(material) / indexOf(top);
  if (top != material) {
    // The boundary of an outer volume within an inner one does not bend light; one that was never entered leads to the top.
    const isAround = volume0 == material || volume1 == material || volume2 == material;
    return isAround ? <f32>1.0 : indexOf(top) / indexOf(material);
  }
  const below = volume3 ? volume2 : volume2 ? volume1 : volume1 ? volume0 : 0;
  return indexOf(below) / indexOf(material);
}

/** Whether the index at this boundary depends on the wavelength and the path has none yet. */
export function needsWavelength(material: usize): bool {
  if (wavelength >= <f32>-1.0) return false;
  if (load<i32>(material, MATERIAL_FLAGS) & FLAG_DISPERSION) return true;
  const around = currentMedium();
  return around != 0 && (load<i32>(around, MATERIAL_FLAGS) & FLAG_DISPERSION) != 0;
}

// @ts-ignore: decorator
@inline function hat(distance: f32): f32 {
  return max<f32>(<f32>0.0, <f32>1.0 - abs<f32>(distance));
}

/**
 * Gives the path a wavelength and returns the factors for its colours, whose mean over `choice` is one. Each channel spreads
 * over its neighbours as a hat about its own place, and a place is picked in proportion to the hats' sum.
 */
export function pickWavelength(choice: f32): v128 {
  const channel = min<f32>(floor<f32>(choice * <f32>3.0), <f32>2.0);
  const u = choice * <f32>3.0 - channel;
  const away = u < <f32>0.5 ? sqrt<f32>(<f32>2.0 * u) - <f32>1.0 : <f32>1.0 - sqrt<f32>(max<f32>(<f32>2.0 - <f32>2.0 * u, <f32>0.0));
  wavelength = channel + away;
  const red = hat(wavelength);
  const green = hat(wavelength - <f32>1.0);
  const blue = hat(wavelength - <f32>2.0);
  const share = <f32>3.0 / max<f32>(red + green + blue, <f32>1e-6);
  return vec(red * share, green * share, blue * share);
}

/** Beer-Lambert over a distance (m) inside a volume. */
export function transmittance(medium: usize, distance: f32): v128 {
  const sigma = v128.load(medium, MATERIAL_ATTENUATION);
  return vec(
    expNegative(-x(sigma) * distance),
    expNegative(-y(sigma) * distance),
    expNegative(-z(sigma) * distance),
  );
}
