import type { ServerResponse } from 'node:http';

/** Something that goes wrong on the wire. */
export type Misfortune =
  /** An answer other than the true one; the request is not carried out. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection breaks before the request is carried out. */
  | { readonly kind: 'reset' }
  /** The request is carried out, and the connection breaks before the answer. */
  | { readonly kind: 'lostAnswer' }
  /** The request is carried out, and the connection breaks in the middle of the answer. */
  | { readonly kind: 'resetMidBody' }
  /** The answer ends early, without the connection saying so. */
  | { readonly kind: 'halfPage' }
  /** The answer comes late, in milliseconds. */
  | { readonly kind: 'slow'; readonly milliseconds: number };

interface Fault {
  readonly method: RegExp;
  readonly misfortune: Misfortune;
  left: number;
}

/** Faults that were ordered; each strikes as many requests as it says. */
export class Faults {
  private faults: Fault[] = [];

  /** @param method matches the method's id; `times` requests are struck */
  add(method: RegExp, misfortune: Misfortune, times = 1): void {
    this.faults.push({ method, misfortune, left: times });
  }

  take(methodId: string): Misfortune | undefined {
    const fault = this.faults.find((each) => each.left > 0 && each.method.test(methodId));
    if (fault === undefined) return undefined;
    fault.left -= 1;
    return fault.misfortune;
  }

  /** Faults that no request has met. */
  get pending(): number {
    return this.faults.reduce((sum, fault) => sum + fault.left, 0);
  }

  clear(): void {
    this.faults = [];
  }
}

/** Sends a JSON answer, or what a misfortune makes of it. */
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
