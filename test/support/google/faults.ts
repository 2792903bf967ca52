import type { ServerResponse } from 'node:http';

/** A simulated network or server fault. */
export type Misfortune =
  /** Another response is sent; the request is not processed. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection breaks before the request is processed. */
  | { readonly kind: 'reset' }
  /** The request is processed, but the connection breaks before the response. */
  | { readonly kind: 'lostAnswer' }
  /** The request is processed, but the connection breaks during the response. */
  | { readonly kind: 'resetMidBody' }
  /** The response ends early although the connection closes normally. */
  | { readonly kind: 'halfPage' }
  /** The response is delayed, in milliseconds. */
  | { readonly kind: 'slow'; readonly milliseconds: number };

interface Fault {
  readonly method: RegExp;
  readonly misfortune: Misfortune;
  left: number;
}

/** Planned faults. Each affects a given number of requests. */
export class Faults {
  private faults: Fault[] = [];

  /** @param method matches the method's id. @param times number of affected requests */
  add(method: RegExp, misfortune: Misfortune, times = 1): void {
    this.faults.push({ method, misfortune, left: times });
  }

  take(methodId: string): Misfortune | undefined {
    const fault = this.faults.find((each) => each.left > 0 && each.method.test(methodId));
    if (fault === undefined) return undefined;
    fault.left -= 1;
    return fault.misfortune;
  }

  /** Number of planned faults that no request has met. */
  get pending(): number {
    return this.faults.reduce((sum, fault) => sum + fault.left, 0);
  }

  clear(): void {
    this.faults = [];
  }
}

/** Sends a JSON response, modified by the fault. */
export async function sendAnswer(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  misfortune: Misfortune | undefined,
): Promise<void> {
  const content = Buffer.from(body);
  switch (misfortune?.kind) {
    case 'lostAnswer':
      response.destroy();
      return;
    case 'resetMidBody':
      response.writeHead(status, { ...headers, 'content-length': String(content.length) });
      response.write(content.subarray(0, content.length / 2), () => response.destroy());
      return;
    case 'halfPage':
      response.writeHead(status, headers).end(content.subarray(0, content.length / 2));
      return;
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, misfortune.milliseconds));
      break;
    case 'answer':
    case 'reset':
    case undefined:
      break;
  }
  response.writeHead(status, headers).end(content);
}
