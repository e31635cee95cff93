/** A refusal as the Admin SDK gives it: `code` is the gRPC status. */
export class RpcError extends Error {
  readonly code: number;

  constructor(code: number, status: string, message: string) {
    super(`${code} ${status}: ${message}`);
    this.code = code;
  }
}
