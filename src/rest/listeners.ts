import { MillraceError } from '../base/errors.ts';

/** An address of `listeners` or `admin.listeners`. */
export interface Listener {
  readonly protocol: 'http' | 'https';
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
}

/** @throws CONFIG_INVALID naming the address */
export function readListeners(property: string, addresses: readonly string[]): readonly Listener[] {
  return addresses.map((address) => {
    const [, protocol = '', host = '', port = ''] = /^(https?):\/\/(\[[^\]]*\]|[^:/]*):(\d{1,5})\/?$/i.exec(address) ?? [];
    if (protocol === '' || Number(port) > 65_535) {
      throw new MillraceError('CONFIG_INVALID', `${property}: "${address}" is no address.`, {
        nextStep: 'Write http://host:port or https://host:port; without a host, it listens on all interfaces.',
      });
    }
    const plain = host.replaceAll(/[[\]]/g, '');
    return { protocol: protocol.toLowerCase() === 'https' ? 'https' : 'http', host: plain === '' ? undefined : plain, port: Number(port) };
  });
}
