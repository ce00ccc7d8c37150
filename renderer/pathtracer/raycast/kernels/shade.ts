/** Light from the surface that a pixel's ray meets. See `find.ts` for `view` and rows. */
import type { Four, Pixel, Pixels, Rows } from './find.ts';

/**
 * Light towards the camera: irradiance on the diffuse part, blurred environment on the mirror part (Karis 2014, "Physically Based
 * Shading on Mobile"), punctual lights (Lambert and GGX), emission. The fourth number is how much the surface hides of what lies
 * behind. Polynomials for arc functions: Abramowitz and Stegun, 4.4.46 and 4.4.49, within 1e-7; WebAssembly has none of its own.
 */
export function shade(
  this: Pixel,
  view: number[],
  hits: Pixels,
  textures: Pixels,
  base: Pixels,
  normal: Pixels,
  places: Pixels,
  instances: Rows,
  materials: Rows,
  lights: Rows,
  irradiance: Rows,
  sharp: Rows,
  blurred: Rows,
): Four {
  const x = this.thread.x;
  const y = this.thread.y;
  const k = hits[y]![x]![0]!;
  let red = 0;
  let green = 0;
  let blue = 0;
  let hides = 0;
  let sees = 1;
  // Nothing is seen behind see-through surfaces here: that is the other pass.
  if (k < 0) {
    if (view[20]! > 0.5) sees = 0;
    if (view[24]! < 0.5) sees = 0;
  }
  if (sees > 0.5) {
    const sx = (view[18]! + x + 0.5 - view[14]!) * view[13]! * (1 - view[17]!);
    const sy = (view[15]! - view[19]! - y - 0.5) * view[13]! * (1 - view[17]!);
    let wx = view[0]! * sx + view[3]! * sy - view[6]!;
    let wy = view[1]! * sx + view[4]! * sy - view[7]!;
    let wz = view[2]! * sx + view[5]! * sy - view[8]!;
    const unit = 1 / Math.sqrt(wx * wx + wy * wy + wz * wz);
    wx = wx * unit;
    wy = wy * unit;
    wz = wz * unit;
    let m = 0;
    let level = 0;
    let metal = 0;
    let through = 0;
    let facing = 1;
    const nx = normal[y]![x]![0]!;
    const ny = normal[y]![x]![1]!;
    const nz = normal[y]![x]![2]!;
    let mx = wx;
    let my = wy;
    let mz = wz;
    if (k >= 0) {
      m = instances[k]![15]!;
      facing = Math.max(-(nx * wx + ny * wy + nz * wz), 0.01);
      mx = wx + 2 * facing * nx;
      my = wy + 2 * facing * ny;
      mz = wz + 2 * facing * nz;
      let rough = materials[m]![8]!;
      metal = materials[m]![7]!;
      if (view[28]! >= 0) {
        const line = view[28]! * view[25]! + y;
        rough = rough * textures[line]![x]![1]!;
        metal = metal * textures[line]![x]![2]!;
      }
      level = 4 * Math.min(Math.max(rough, 0), 1);
      metal = Math.min(Math.max(metal, 0), 1);
      through = materials[m]![11]!;
      if (view[31]! >= 0) through = through * textures[view[31]! * view[25]! + y]![x]![0]!;
    }
    // Where in a latitude-longitude picture the ray (or its reflection, where it hit) looks: across and down, 0 to 1.
    const side = Math.max(Math.abs(mx), Math.abs(mz));
    const slope = Math.min(Math.abs(mx), Math.abs(mz)) / Math.max(side, 1e-20);
    const s2 = slope * slope;
    let angle = 0.0429096138 + s2 * (s2 * 0.0028662257 - 0.0161657367);
    angle = 0.1065626393 + s2 * (s2 * angle - 0.07528964);
    angle = 0.1999355085 + s2 * (s2 * angle - 0.1420889944);
    angle = slope + slope * s2 * (s2 * angle - 0.3333314528);
    if (Math.abs(mx) > Math.abs(mz)) angle = 1.57079633 - angle;
    if (mz > 0) angle = Math.PI - angle;
    if (mx < 0) angle = -angle;
    const turnU = 0.5 + angle * 0.15915494;
    const rise = Math.min(Math.abs(my), 1);
    let arc = 0.030891881 + rise * (rise * (0.0066700901 - rise * 0.0012624911) - 0.0170881256);
    arc = 0.0889789874 + rise * (rise * arc - 0.0501743046);
    arc = Math.sqrt(1 - rise) * (1.570796305 + rise * (rise * arc - 0.2145988016));
    if (my < 0) arc = Math.PI - arc;
    const turnV = arc * 0.31830989;
    let crispR = 0;
    let crispG = 0;
    let crispB = 0;
    if (level < 1 && view[24]! > 0.5) {
      const ex = turnU * view[22]! - 0.5;
      const ey = turnV * view[23]! - 0.5;
      const fx = ex - Math.floor(ex);
      const fy = ey - Math.floor(ey);
      for (let tap = 0; tap < 4; tap++) {
        const i = tap % 2;
        const j = Math.floor(tap / 2);
        let cx = Math.floor(ex) + i;
        if (cx < 0) cx = cx + view[22]!;
        if (cx >= view[22]!) cx = cx - view[22]!;
        const cy = Math.min(Math.max(Math.floor(ey) + j, 0), view[23]! - 1);
        const weight = (i * fx + (1 - i) * (1 - fx)) * (j * fy + (1 - j) * (1 - fy));
        crispR += sharp[cy]![cx * 3]! * weight;
        crispG += sharp[cy]![cx * 3 + 1]! * weight;
        crispB += sharp[cy]![cx * 3 + 2]! * weight;
      }
    }
    if (k < 0) {
      red = crispR;
      green = crispG;
      blue = crispB;
    } else {
      const baseR = base[y]![x]![0]!;
      const baseG = base[y]![x]![1]!;
      const baseB = base[y]![x]![2]!;
      const alpha = base[y]![x]![3]!;
      hides = alpha * (1 - through);
      if (materials[m]![12]! > 0.5) {
        red = baseR * alpha;
        green = baseG * alpha;
        blue = baseB * alpha;
      } else {
        const bx = turnU * 64 - 0.5;
        const by = turnV * 32 - 0.5;
        const gx = bx - Math.floor(bx);
        const gy = by - Math.floor(by);
        const between = level - Math.floor(level);
        let share = between;
        if (level >= 4) share = 1;
        let isCrisp = 0;
        if (level < 1) {
          if (view[24]! > 0.5) isCrisp = 1;
        }
        const first = Math.max(Math.floor(level) - 1, 0);
        const second = Math.min(Math.floor(level), 3);
        let mirrorR = crispR * isCrisp * (1 - share);
        let mirrorG = crispG * isCrisp * (1 - share);
        let mirrorB = crispB * isCrisp * (1 - share);
        for (let tap = 0; tap < 4; tap++) {
          const i = tap % 2;
          const j = Math.floor(tap / 2);
          let cx = Math.floor(bx) + i;
          if (cx < 0) cx = cx + 64;
          if (cx >= 64) cx = cx - 64;
          const cy = Math.min(Math.max(Math.floor(by) + j, 0), 31);
          const weight = (i * gx + (1 - i) * (1 - gx)) * (j * gy + (1 - j) * (1 - gy));
          const low = weight * (1 - share) * (1 - isCrisp);
          const high = weight * share;
          const lowLine = first * 32 + cy;
          const highLine = second * 32 + cy;
          mirrorR += blurred[lowLine]![cx * 3]! * low + blurred[highLine]![cx * 3]! * high;
          mirrorG += blurred[lowLine]![cx * 3 + 1]! * low + blurred[highLine]![cx * 3 + 1]! * high;
          mirrorB += blurred[lowLine]![cx * 3 + 2]! * low + blurred[highLine]![cx * 3 + 2]! * high;
        }
        const f0R = 0.04 * (1 - metal) + baseR * metal;
        const f0G = 0.04 * (1 - metal) + baseG * metal;
        const f0B = 0.04 * (1 - metal) + baseB * metal;
        const roughness = level * 0.25;
        const q0 = 1 - roughness;
        const q1 = 0.0425 - 0.0275 * roughness;
        const q2 = 1.04 - 0.572 * roughness;
        const q3 = 0.022 * roughness - 0.04;
        // exp(-6.4324 facing), as the sixteenth power of a short series.
        const d = -0.402025 * facing;
        let fall = 1 + d * (1 + d * (0.5 + d * (0.16666667 + d * (0.04166667 + d * 0.00833333))));
        fall = fall * fall;
        fall = fall * fall;
        fall = fall * fall;
        fall = fall * fall;
        const a4 = Math.min(q0 * q0, fall) * q0 + q1;
        const scale = q2 - 1.04 * a4;
        const offset = q3 + 1.04 * a4;
        let specularR = mirrorR * (f0R * scale + offset);
        let specularG = mirrorG * (f0G * scale + offset);
        let specularB = mirrorB * (f0B * scale + offset);
        let diffuseR = 0;
        let diffuseG = 0;
        let diffuseB = 0;
        for (let n = 0; n < 9; n++) {
          let value = 1;
          if (n === 1) value = ny;
          if (n === 2) value = nz;
          if (n === 3) value = nx;
          if (n === 4) value = nx * ny;
          if (n === 5) value = ny * nz;
          if (n === 6) value = 3 * nz * nz - 1;
          if (n === 7) value = nx * nz;
          if (n === 8) value = nx * nx - ny * ny;
          diffuseR += irradiance[n]![0]! * value;
          diffuseG += irradiance[n]![1]! * value;
          diffuseB += irradiance[n]![2]! * value;
        }
        diffuseR = Math.max(diffuseR, 0);
        diffuseG = Math.max(diffuseG, 0);
        diffuseB = Math.max(diffuseB, 0);
        const a2 = Math.max(roughness * roughness * roughness * roughness, 0.0001);
        for (let n = 0; n < view[21]!; n++) {
          let lx = lights[n]![3]!;
          let ly = lights[n]![4]!;
          let lz = lights[n]![5]!;
          let power = 1;
          if (lights[n]![11]! < 1.5) {
            lx = lights[n]![0]! - places[y]![x]![0]!;
            ly = lights[n]![1]! - places[y]![x]![1]!;
            lz = lights[n]![2]! - places[y]![x]![2]!;
            const d2 = Math.max(lx * lx + ly * ly + lz * lz, 1e-8);
            const inverse = 1 / Math.sqrt(d2);
            lx = lx * inverse;
            ly = ly * inverse;
            lz = lz * inverse;
            power = 1 / d2;
            if (lights[n]![11]! > 0.5) {
              const cone =
                (lx * lights[n]![3]! + ly * lights[n]![4]! + lz * lights[n]![5]!) * lights[n]![9]! + lights[n]![10]!;
              const inside = Math.min(Math.max(cone, 0), 1);
              power = power * inside * inside;
            }
          }
          const cosine = nx * lx + ny * ly + nz * lz;
          if (cosine > 0) {
            const e = power * cosine;
            let hx = lx - wx;
            let hy = ly - wy;
            let hz = lz - wz;
            const half = 1 / Math.sqrt(Math.max(hx * hx + hy * hy + hz * hz, 1e-12));
            hx = hx * half;
            hy = hy * half;
            hz = hz * half;
            const nh = nx * hx + ny * hy + nz * hz;
            const lh = Math.max(lx * hx + ly * hy + lz * hz, 0);
            const lobe = nh * nh * (a2 - 1) + 1;
            const a = roughness * roughness;
            const visibility = 0.5 / (cosine * (facing * (1 - a) + a) + facing * (cosine * (1 - a) + a));
            const graze = (1 - lh) * (1 - lh);
            const fresnel = graze * graze * (1 - lh);
            const glint = ((e * a2 * 0.31830989) / (lobe * lobe)) * visibility;
            specularR += lights[n]![6]! * glint * (f0R + (1 - f0R) * fresnel);
            specularG += lights[n]![7]! * glint * (f0G + (1 - f0G) * fresnel);
            specularB += lights[n]![8]! * glint * (f0B + (1 - f0B) * fresnel);
            diffuseR += lights[n]![6]! * e * 0.31830989;
            diffuseG += lights[n]![7]! * e * 0.31830989;
            diffuseB += lights[n]![8]! * e * 0.31830989;
          }
        }
        let glowR = materials[m]![4]!;
        let glowG = materials[m]![5]!;
        let glowB = materials[m]![6]!;
        if (view[30]! >= 0) {
          const line = view[30]! * view[25]! + y;
          glowR = glowR * textures[line]![x]![0]!;
          glowG = glowG * textures[line]![x]![1]!;
          glowB = glowB * textures[line]![x]![2]!;
        }
        const matte = (1 - metal) * (1 - through);
        red = (diffuseR * baseR * matte + specularR + glowR) * alpha;
        green = (diffuseG * baseG * matte + specularG + glowG) * alpha;
        blue = (diffuseB * baseB * matte + specularB + glowB) * alpha;
      }
    }
  }
  return [red, green, blue, hides];
}
