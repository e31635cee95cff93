// One instance that serves every callable of the built functions, each at its name as a path: deployed, each has instances of its own.
import type { Request, Response } from 'express';

/** As the bundle exports them. */
type Served = (request: Request, response: Response) => void | Promise<void>;

const built = await import(new URL('../lib/index.js', import.meta.url).href) as Record<string, Served>;

/** The guard takes this instance for the callable with the largest bodies. */
export const processFrame: Served = (request, response) => {
  const name = request.path.slice(1);
  const served = Object.hasOwn(built, name) ? built[name] : undefined;
  if (!served) throw new Error(`the functions export no ${name}`);
  return served(request, response);
};
