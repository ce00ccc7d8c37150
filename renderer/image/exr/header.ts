/** Writes the header of an OpenEXR file. See `format.ts` for the layout. */
import {
  CHUNK_ALIGNMENT,
  COMPRESSION_NAMES,
  EXR_MAGIC,
  EXR_VERSION,
  type ExrAttribute,
  type ExrPixelType,
  type ExrRect,
  PIXEL_TYPES,
  type WritableCompression,
} from './format.ts';

/** All that a file says before its samples. */
export interface ExrFileHeader {
  /** The whole picture; its origin is 0, 0. */
  width: number;
  height: number;
  /** The part that the file holds; the whole picture when left out. */
  rect?: ExrRect;
  /** Names are at most 31 bytes and differ. */
  channels: readonly { name: string; type: ExrPixelType }[];
  compression: WritableCompression;
  /** Further header attributes by name; they replace those that we would write ourselves. */
  attributes?: Record<string, ExrAttribute>;
}

/** Collects little-endian bytes. */
class ByteCollector {
  private readonly parts: Buffer[] = [];

  text(value: string): this {
    if (Buffer.byteLength(value) > 31) throw new RangeError(`EXR name too long: ${value}`);
    this.parts.push(Buffer.from(`${value}\0`, 'utf8'));
    return this;
  }

  int(value: number): this {
    this.parts.push(ints(value));
    return this;
  }

  attribute(name: string, type: string, payload: Buffer): this {
    this.text(name).text(type).int(payload.length);
    this.parts.push(payload);
    return this;
  }

  byte(value: number): this {
    this.parts.push(Buffer.from([value]));
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const ints = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
const floats = (values: ArrayLike<number>): Buffer => Buffer.from(Float32Array.from(values).buffer);

function encodeAttribute(attribute: ExrAttribute): [type: string, payload: Buffer] {
  switch (attribute.kind) {
    case 'int':
      return ['int', ints(attribute.value)];
    case 'float':
      return ['float', floats([attribute.value])];
    case 'double':
      return ['double', Buffer.from(Float64Array.of(attribute.value).buffer)];
    case 'string':
      return ['string', Buffer.from(attribute.value, 'utf8')];
    case 'm44f':
      return ['m44f', floats(attribute.value)];
    case 'chromaticities':
      return ['chromaticities', floats(attribute.value)];
  }
}

/** Names in the order of the file: byte by byte, as the standard asks. */
export function exrChannelOrder(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The part of the picture that a file holds. */
export const rectOfFile = ({ rect, width, height }: ExrFileHeader): ExrRect =>
  rect ?? { x0: 0, y0: 0, x1: width, y1: height };

/** Magic number to the end of the header. `channels` are in file order. Throws `RangeError` for names that are too long. */
export function encodeHeader(header: ExrFileHeader): Buffer {
  const list = new ByteCollector();
  for (const { name, type } of header.channels) {
    // pixel type, pLinear and three reserved bytes, x and y sampling
    list.text(name).int(PIXEL_TYPES.indexOf(type)).int(0).int(1).int(1);
  }
  list.byte(0);
  const rect = rectOfFile(header);
  const own: Record<string, [type: string, payload: Buffer]> = {
    channels: ['chlist', list.bytes()],
    compression: ['compression', Buffer.from([COMPRESSION_NAMES.indexOf(header.compression)])],
    dataWindow: ['box2i', ints(rect.x0, rect.y0, rect.x1 - 1, rect.y1 - 1)],
    displayWindow: ['box2i', ints(0, 0, header.width - 1, header.height - 1)],
    lineOrder: ['lineOrder', Buffer.from([0])],
    pixelAspectRatio: ['float', floats([1])],
    screenWindowCenter: ['v2f', floats([0, 0])],
    screenWindowWidth: ['float', floats([1])],
  };
  for (const [name, attribute] of Object.entries(header.attributes ?? {})) own[name] = encodeAttribute(attribute);
  const file = new ByteCollector().int(EXR_MAGIC).int(EXR_VERSION);
  for (const name of exrChannelOrder(Object.keys(own))) file.attribute(name, ...own[name]!);
  return file.byte(0).bytes();
}

/** Whether a band of rows that begins `from` lines below the top and ends at `to` of `height` cuts no chunk in two. */
export const isBand = (from: number, to: number, height: number): boolean =>
  from % CHUNK_ALIGNMENT === 0 && (to === height || (to < height && to % CHUNK_ALIGNMENT === 0)) && from < to;
