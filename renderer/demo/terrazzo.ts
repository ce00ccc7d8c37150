/** The floor's texture: terrazzo, chips of stone in cement, drawn by our own code so that the demo ships no picture. */
import sharp from 'sharp';

/** Linear-congruential generator (Numerical Recipes): the same floor every time. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const CHIPS = ['#c9bfb2', '#8d8279', '#6b4a3f', '#b58a6a', '#3e4a4f', '#e7dfd3', '#7d8f8a'];

/** A seamless square of `size` pixels, PNG. */
export async function terrazzoTexture(size: number): Promise<Uint8Array<ArrayBuffer>> {
  const random = generator(7);
  const shapes: string[] = [];
  for (let i = 0; i < 420; i++) {
    const [x, y] = [random() * size, random() * size];
    const radius = size * (0.004 + 0.022 * random() ** 2.5);
    const turn = random() * Math.PI;
    const corners = Array.from({ length: 5 + Math.floor(random() * 3) }, (_, k, all = 6) => {
      const angle = turn + (k / all) * 2 * Math.PI + random() * 0.4;
      const reach = radius * (0.65 + 0.5 * random());
      return [reach * Math.cos(angle), reach * Math.sin(angle)] as const;
    });
    const colour = CHIPS[Math.floor(random() * CHIPS.length)];
    // Drawn again beyond each edge, so that the square tiles.
    for (const dx of [-size, 0, size]) {
      for (const dy of [-size, 0, size]) {
        const points = corners.map(([px, py]) => `${(x + dx + px).toFixed(1)},${(y + dy + py).toFixed(1)}`).join(' ');
        if (Math.abs(x + dx - size / 2) < size * 0.55 && Math.abs(y + dy - size / 2) < size * 0.55) {
          shapes.push(`<polygon points="${points}" fill="${colour}"/>`);
        }
      }
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="100%" height="100%" fill="#a39a90"/>${shapes.join('')}</svg>`;
  return Uint8Array.from(
    await sharp(Buffer.from(svg)).removeAlpha().png({ compressionLevel: 9, palette: true }).toBuffer(),
  );
}
