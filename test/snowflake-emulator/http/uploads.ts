import { randomBytes } from 'node:crypto';
import type { Upload } from '../engine/result.ts';
import type { StageFiles } from '../engine/stage-files.ts';
import type { Faults } from '../faults.ts';
import { type Exchange, sendEmpty } from './exchange.ts';

/** The object store that stages' files are uploaded to, in the style of Google's. */
export interface UploadPoint {
  readonly url: () => string;
  readonly token: string;
}

export function uploadPoint(url: () => string): UploadPoint {
  return { url, token: randomBytes(16).toString('hex') };
}

/** What PUT answers: the driver uploads to `endPoint/bucket/path` with the token, files of any size in one request. */
export function stageInfo(point: UploadPoint, upload: Upload): Readonly<Record<string, unknown>> {
  const folder = upload.path === '' || upload.path.endsWith('/') ? upload.path : `${upload.path}/`;
  return {
    command: 'UPLOAD',
    operation: 'Node',
    src_locations: [upload.source],
    parallel: upload.parallel,
    threshold: 209_715_200,
    autoCompress: upload.autoCompress,
    overwrite: upload.overwrite,
    sourceCompression: upload.sourceCompression,
    clientShowEncryptionParameter: false,
    encryptionMaterial: null,
    stageInfo: {
      locationType: 'GCS',
      location: `stage${upload.stageId}/${folder}`,
      path: folder,
      region: 'us-central1',
      storageAccount: null,
      isClientSideEncrypted: false,
      endPoint: `${point.url()}/obj`,
      creds: { GCS_ACCESS_TOKEN: point.token },
    },
  };
}

/** `PUT` and `HEAD /obj/stage<id>/<path>` */
export async function serveObject(exchange: Exchange, point: UploadPoint, files: StageFiles, faults: Faults): Promise<void> {
  const { request, url } = exchange;
  if (request.headers.authorization !== `Bearer ${point.token}`) {
    sendEmpty(exchange, 401);
    return;
  }
  const [, bucket = '', path = ''] = /^\/obj\/stage(\d+)\/(.+)$/.exec(decodeURIComponent(url.pathname)) ?? [];
  if (bucket === '') {
    sendEmpty(exchange, 404);
    return;
  }
  if (request.method === 'HEAD') {
    sendEmpty(exchange, (await files.has(Number(bucket), path)) ? 200 : 404);
    return;
  }
  const fault = faults.atPath('upload', path);
  if (fault !== undefined) {
    request.resume();
    sendEmpty(exchange, fault.status);
    return;
  }
  await files.put(Number(bucket), path, request);
  sendEmpty(exchange, 200);
}
