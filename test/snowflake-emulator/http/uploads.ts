import { createHmac, randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Upload } from '../engine/result.ts';
import type { StageFiles } from '../engine/stage-files.ts';
import type { Faults } from '../faults.ts';
import { drop, type Exchange, sendEmpty } from './exchange.ts';

/** The object store that stages' files are uploaded to, in the style of Google's. */
export interface UploadPoint {
  readonly url: () => string;
  readonly token: string;
  /** Each file has a URL of its own that may be written, instead of one token for all. */
  readonly presigned: boolean;
}

export function uploadPoint(url: () => string, presigned: boolean): UploadPoint {
  return { url, token: randomBytes(16).toString('hex'), presigned };
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
      ...credentials(point, `stage${upload.stageId}/${folder}${basename(upload.source)}`),
    },
  };
}

/** A token for all files of the PUT, or the URL of the one file that a PUT names when the driver sends it again. */
function credentials(point: UploadPoint, path: string): Readonly<Record<string, unknown>> {
  if (!point.presigned) return { creds: { GCS_ACCESS_TOKEN: point.token } };
  return { creds: {}, presignedUrl: `${point.url()}/obj/${path}?signature=${signatureOf(point, path)}` };
}

function signatureOf(point: UploadPoint, path: string): string {
  return createHmac('sha256', point.token).update(path).digest('hex');
}

/** `PUT`, `GET` and `HEAD /obj/stage<id>/<path>` */
export async function serveObject(exchange: Exchange, point: UploadPoint, files: StageFiles, faults: Faults): Promise<void> {
  const { request, url } = exchange;
  const object = decodeURIComponent(url.pathname).slice('/obj/'.length);
  const signed = url.searchParams.get('signature') === signatureOf(point, object);
  if (!signed && request.headers.authorization !== `Bearer ${point.token}`) {
    sendEmpty(exchange, 401);
    return;
  }
  const [, bucket = '', path = ''] = /^stage(\d+)\/(.+)$/.exec(object) ?? [];
  if (bucket === '') {
    sendEmpty(exchange, 404);
    return;
  }
  if (request.method === 'HEAD' || request.method === 'GET') {
    sendEmpty(exchange, (await files.has(Number(bucket), path)) ? 200 : 404);
    return;
  }
  const fault = faults.atPath('upload', path);
  if (fault !== undefined) {
    if (fault.status === undefined) {
      request.once('data', () => drop(exchange));
      return;
    }
    request.resume();
    sendEmpty(exchange, fault.status);
    return;
  }
  await files.put(Number(bucket), path, request);
  sendEmpty(exchange, 200);
}
