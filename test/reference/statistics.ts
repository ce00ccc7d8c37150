/** How two noisy pictures of what should be the same light are compared in the mean. */

export interface MeanComparison {
  /** Ours over theirs, by channel, of the whole picture's mean. */
  ratio: [number, number, number];
  /** The same after Reinhard's x / (1 + x): what a viewer sees, without a handful of very bright pixels. */
  displayRatio: [number, number, number];
  /** Root mean square, over blocks, of the difference of display means: structure that whole means hide. */
  blockRms: number;
}

const BLOCK = 8;

const display = (value: number): number => value / (1 + Math.max(0, value));

/** Both linear RGB of the same size. */
export function compareMeans(ours: Float32Array, theirs: Float32Array, width: number, height: number): MeanComparison {
  const sums = { ours: [0, 0, 0], theirs: [0, 0, 0], oursShown: [0, 0, 0], theirsShown: [0, 0, 0] };
  const columns = Math.ceil(width / BLOCK);
  const blocks = new Float64Array(columns * Math.ceil(height / BLOCK));
  const counts = new Float64Array(blocks.length);
  for (let i = 0; i < ours.length; i++) {
    const channel = i % 3;
    const pixel = (i - channel) / 3;
    const block = Math.floor(Math.floor(pixel / width) / BLOCK) * columns + Math.floor((pixel % width) / BLOCK);
    const [a, b] = [ours[i]!, theirs[i]!];
    sums.ours[channel]! += a;
    sums.theirs[channel]! += b;
    sums.oursShown[channel]! += display(a);
    sums.theirsShown[channel]! += display(b);
    blocks[block]! += display(a) - display(b);
    counts[block]! += 1;
  }
  const ratio = (a: number[], b: number[]) => a.map((value, c) => value / b[c]!) as [number, number, number];
  const squares = blocks.reduce((sum, value, block) => sum + (value / counts[block]!) ** 2, 0);
  return {
    ratio: ratio(sums.ours, sums.theirs),
    displayRatio: ratio(sums.oursShown, sums.theirsShown),
    blockRms: Math.sqrt(squares / blocks.length),
  };
}
