/** Project data: blobs, uploads, projects and their versions. Columns as `ports/db/tables.ts` says. */
import type { Generated } from 'kysely';
import type { SceneInspection } from '../../../domain/scene.ts';
import type { VersionManifest } from '../documents.ts';
import type { GeneratedTime, Json } from './columns.ts';

export interface BlobsTable {
  studioId: string;
  hash: string;
  sizeBytes: number;
  createdAt: GeneratedTime;
  /** Since when its bytes are known to be gone or wrong, everywhere. */
  lostAt: Generated<Date | null>;
}

export interface BlobUploadsTable {
  studioId: string;
  hash: string;
  sizeBytes: number;
  expiresAt: Date;
}

export interface ProjectsTable {
  studioId: string;
  id: Generated<string>;
  name: string;
  createdAt: GeneratedTime;
}

export interface ProjectVersionsTable {
  studioId: string;
  id: Generated<string>;
  projectId: string;
  number: number;
  manifest: Json<VersionManifest>;
  manifestHash: string;
  inspection: Json<SceneInspection>;
  createdAt: GeneratedTime;
}

export interface VersionBlobsTable {
  studioId: string;
  versionId: string;
  hash: string;
}
