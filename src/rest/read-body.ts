import type { IncomingMessage } from 'node:http';
import { messageOf } from '../base/errors.ts';

/** As much as Kafka's records may have by default, and with it Connect's configurations. */
const greatestBody = 1024 * 1024;
/** Of all bodies that are being received at a time. */
const greatestTogether = 64 * 1024 * 1024;

/** A refusal with its status. */
export class BodyRefusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.statusCode = statusCode;
  }
}

/** Receives bodies of requests. What it refuses is not read to its end. @throws BodyRefusal: 400, 413, 503 */
export function createBodyReader(): (request: IncomingMessage) => Promise<Buffer> {
  let together = 0;
  return async (request) => {
    if (Number(request.headers['content-length'] ?? 0) > greatestBody) throw tooLarge();
    const parts: Buffer[] = [];
    let size = 0;
    try {
      // Destroyed, the request would take the answer's connection with it.
      for await (const part of request.iterator({ destroyOnReturn: false })) {
        if (!Buffer.isBuffer(part)) continue;
        size += part.length;
        together += part.length;
        if (size > greatestBody) throw tooLarge();
        if (together > greatestTogether) throw new BodyRefusal(503, 'Too many requests are being received: try again in a while.');
        parts.push(part);
      }
      return Buffer.concat(parts, size);
    } catch (error) {
      // What comes now is thrown away.
      request.resume();
      throw error instanceof BodyRefusal ? error : new BodyRefusal(400, `The request's body breaks off: ${messageOf(error)}`, error);
    } finally {
      together -= size;
    }
  };
}

function tooLarge(): BodyRefusal {
  return new BodyRefusal(413, `A body may have ${greatestBody} bytes.`);
}
