import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { CheckSetting, ChoiceSetting, type PartProps, TextSetting } from './fields.tsx';
import { LayerPicker } from './LayerPicker.tsx';

const FILTERS = [
  ['', 'Blackman-Harris'],
  ['gaussian', 'Gaussian'],
  ['triangle', 'Triangle'],
  ['box', 'Box'],
] as const;
const VIEWS = [
  ['', 'Khronos PBR Neutral'],
  ['agx', 'AgX'],
  ['aces', 'ACES fit'],
  ['srgb', 'sRGB'],
  ['raw', 'Raw'],
] as const;
const COMPRESSIONS = [
  ['', 'ZIP'],
  ['zips', 'ZIPS, one line'],
  ['piz', 'PIZ, for grain'],
  ['none', 'None'],
] as const;
const COLOR_SPACES = [
  ['', 'Linear Rec.709'],
  ['acescg', 'ACEScg'],
] as const;
const PICTURES = [
  ['', 'PNG'],
  ['tiff', 'TIFF'],
  ['webp', 'WebP'],
  ['jpeg', 'JPEG'],
] as const;
const TIERS = [
  ['', 'Any node'],
  ['gpu', 'GPU nodes only'],
  ['cpu', 'CPU'],
] as const;

/** Everything that a first job can leave alone, in the order in which a frame is made. */
export function AdvancedSettings(props: PartProps & { variants: string[] }) {
  const { variants, ...part } = props;
  const variantList = useId();
  const traced = part.settings.technique === 'pathtrace';
  const number = { ...part, mono: true, inputMode: 'decimal' } as const;
  return (
    <details className="more">
      <summary>
        <ChevronRight size={15} aria-hidden="true" /> Advanced
      </summary>
      <Group title="Shot">
        <TextSetting {...number} field="start" label="First frame number" placeholder="What the scene says, else 1" />
        <TextSetting {...part} mono field="crop" label="Crop" hint="x0,y0,x1,y1" placeholder="The whole picture" />
        <TextSetting {...part} field="scene" label="Scene of the file" placeholder="The file’s own choice" />
        <TextSetting {...part} field="variant" label="Material variant" placeholder="As modelled" list={variantList} />
        <datalist id={variantList}>
          {variants.map((variant) => (
            <option key={variant} value={variant} />
          ))}
        </datalist>
      </Group>
      {traced && (
        <>
          <Group title="Sampling">
            <TextSetting
              {...number}
              field="adaptive.threshold"
              label="Adaptive, to a noise of"
              hint="0.01 is clean"
              placeholder="Off: all samples everywhere"
            />
            <TextSetting {...number} field="adaptive.minSamples" label="At least, samples" placeholder="16" />
            <ChoiceSetting {...part} field="filter.kind" label="Pixel filter" options={FILTERS} />
            <TextSetting {...number} field="filter.radius" label="Filter radius, pixels" placeholder="1" />
            <TextSetting {...number} field="seed" label="Seed" placeholder="1" />
          </Group>
          <Group title="Light">
            <TextSetting {...number} field="maxDepth" label="Longest path, bounces" placeholder="8" />
            <TextSetting {...number} field="depths.diffuse" label="Diffuse bounces" placeholder="No limit of its own" />
            <TextSetting {...number} field="depths.specular" label="Reflections" placeholder="No limit of its own" />
            <TextSetting
              {...number}
              field="depths.transmission"
              label="Passages through surfaces"
              placeholder="No limit of its own"
            />
            <TextSetting {...number} field="clampDirect" label="Clamp direct light" placeholder="Off" />
            <TextSetting {...number} field="clampIndirect" label="Clamp indirect light" placeholder="Off" />
            <CheckSetting
              {...part}
              field="energyCompensation"
              label="Energy compensation"
              hint="Rough reflections keep the light that single scattering loses."
            />
          </Group>
        </>
      )}
      <Group title="Camera">
        <TextSetting {...number} field="lens.fStop" label="Aperture, f-stop" placeholder="Pinhole: all in focus" />
        <TextSetting {...number} field="lens.focusDistance" label="Focus, metres" placeholder="The picture’s middle" />
        <TextSetting {...number} field="lens.blades" label="Iris blades" placeholder="Round" />
        <TextSetting {...number} field="shutter" label="Shutter" hint="0.5 is 180°" placeholder="0: frozen" />
      </Group>
      <Group title="Output">
        <LayerPicker {...part} />
        <CheckSetting
          {...part}
          field="output.denoisedLayers"
          label="Denoised layers"
          hint="A clean copy of the picture and of each light layer, beside the original."
        />
        <TextSetting
          {...part}
          wide
          mono
          field="output.floatLayers"
          label="Layers as float"
          hint="by name, with commas"
          placeholder="Half; position, depth, motion, UV and mattes are float anyway"
        />
        <ChoiceSetting {...part} field="output.compression" label="EXR compression" options={COMPRESSIONS} />
        <ChoiceSetting {...part} field="output.colorSpace" label="EXR colour space" options={COLOR_SPACES} />
        <ChoiceSetting {...part} field="view" label="View transform" hint="pictures and film" options={VIEWS} />
        <TextSetting {...number} field="exposure" label="Exposure, stops" hint="pictures and film" placeholder="0" />
        <ChoiceSetting {...part} field="output.picture" label="Picture beside the EXR" options={PICTURES} />
      </Group>
      <Group title="Farm">
        <ChoiceSetting {...part} field="tier" label="Rendered by" options={TIERS} />
        <TextSetting {...number} field="priority" label="Priority" hint="1 to 5; 5 goes first" />
        <CheckSetting
          {...part}
          field="cache"
          label="Use the frame cache"
          hint="Frames whose files and settings have not changed arrive at once and are not billed."
        />
        <TextSetting
          {...part}
          wide
          mono
          field="template"
          label="File names"
          placeholder="{shot}_{layer}_v{version}.{frame:04}.{ext}"
        />
      </Group>
    </details>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="settings-group" aria-label={title}>
      <h3>{title}</h3>
      <div className="settings">{children}</div>
    </section>
  );
}
