export function isStale(folder: string, required?: string[]): boolean;
export function installIfStale(folder: string, options: { label: string; scripts: string[]; required: string[]; cache: string }): string | undefined;
