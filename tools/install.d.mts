export function isStale(folder: string, required?: string[]): boolean;
