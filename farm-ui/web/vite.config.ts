/** Builds the page into `dist/web`, which the API serves at `/`. `FARM_API` points a development server at a farm. */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const farmApi = process.env.FARM_API;

export default defineConfig(({ command }) => {
  // A build that a test starts inherits `NODE_ENV=test`, which would put React's development code into the page.
  if (command === 'build') process.env.NODE_ENV = 'production';
  return {
    root: here,
    base: '/',
    plugins: [react()],
    build: {
      outDir: resolve(here, '../../dist/web'),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
    worker: { format: 'es' },
    server: farmApi ? { proxy: { '/v1': { target: farmApi, changeOrigin: false } } } : {},
  };
});
