import { knownShutdown } from '../providers/models.ts';
import { vendorNames, type ListedModel, type VendorName } from '../providers/types.ts';
import type { ServerConfig } from '../sessions/schema.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Days before a shutdown at which operators are told; the first is how early a model counts as retiring. */
const warnAtDays = [60, 14, 3] as const;

/** A model that config/server names, and where. */
export interface ConfiguredModel {
  provider: VendorName;
  model: string;
  /** Such as `config/server.modelRouting.gemini.vision`. */
  settings: string[];
}

/** `missing`: the vendor lists models, but not this one. `retiring`: it is shut down soon. `retired`: that day has come. */
export type FindingKind = 'missing' | 'retiring' | 'retired';

/** A configured model that does not work, or soon will not. */
export interface ModelFinding extends ConfiguredModel {
  kind: FindingKind;
  /** ms since the epoch; null when unknown. */
  shutdownAt: number | null;
  /** Days until then, begun ones included; not positive once it has come. */
  daysLeft: number | null;
}

/** What each vendor lists; absent when it was not asked or did not answer. */
export type Listed = Partial<Record<VendorName, ListedModel[]>>;

/** ops/models: what operators have been told about configured models. */
export interface ModelsDoc {
  /** A line for each finding that operators know, see `line`. */
  told: string[];
  /** Events so far; numbers them. */
  alerts: number;
  /** ms since the epoch of the last check. */
  checkedAt: number;
}

/** Every model that the server configuration names, once, with all the settings that name it. Google's `tts` is a voice, not a model. */
export function configuredModels(routing: ServerConfig['modelRouting']): ConfiguredModel[] {
  const found = new Map<string, ConfiguredModel>();
  const add = (provider: VendorName, model: string | undefined, setting: string): void => {
    if (!model) return;
    const known = found.get(`${provider}/${model}`);
    if (known) known.settings.push(setting);
    else found.set(`${provider}/${model}`, { provider, model, settings: [setting] });
  };
  for (const provider of vendorNames) {
    const { vision, chat, embedding, tts, live, models = [], fallbacks = [], ttsFallbacks = [] } = routing[provider];
    const at = `config/server.modelRouting.${provider}`;
    const single = { vision, chat, embedding, live, ...(provider === 'google' ? {} : { tts }) };
    for (const [setting, model] of Object.entries(single)) add(provider, model, `${at}.${setting}`);
    models.forEach((model, index) => add(provider, model, `${at}.models[${index}]`));
    fallbacks.forEach((fallback, index) => add(fallback.provider, fallback.model, `${at}.fallbacks[${index}]`));
    ttsFallbacks.forEach((fallback, index) => add(fallback.provider, fallback.provider === 'google' ? undefined : fallback.model, `${at}.ttsFallbacks[${index}]`));
  }
  return [...found.values()];
}

/** What is wrong, or soon will be, with the configured models of the vendors that answered. */
export function modelFindings(configured: ConfiguredModel[], listed: Listed, now: number): ModelFinding[] {
  return configured.flatMap((model) => {
    const list = listed[model.provider];
    return list ? findingsOf(model, list, now) : [];
  });
}

function findingsOf(configured: ConfiguredModel, list: ListedModel[], now: number): ModelFinding[] {
  const name = bareName(configured.model);
  const entry = list.find((each) => bareName(each.name) === name) ?? list.find((each) => bareName(each.name) === withoutVersion(name));
  const shutdownAt = entry?.shutdownAt ?? knownShutdown(configured.provider, name);
  const daysLeft = shutdownAt === null ? null : Math.ceil((shutdownAt - now) / dayMs) || 0; // Never -0.
  const finding = (kind: FindingKind): ModelFinding => ({ ...configured, kind, shutdownAt, daysLeft });
  if (shutdownAt !== null && shutdownAt <= now) return [finding('retired')];
  return [
    ...(entry === undefined && list.length > 0 ? [finding('missing')] : []),
    ...(daysLeft !== null && daysLeft <= warnAtDays[0] ? [finding('retiring')] : []),
  ];
}

/** A model's name without what a vendor puts before it: `models/`, `publishers/google/models/`. */
function bareName(name: string): string {
  return name.replace(/^.*\bmodels\//, '');
}

/** Vertex AI lists `multimodalembedding@001` without its version. */
function withoutVersion(name: string): string {
  return name.split('@', 1)[0]!;
}

/**
 * The document after a check, and the findings that operators have not been told yet. What is found again is told again
 * only when fewer days are left (60, 14, 3); what is gone is forgotten, except of vendors that were not checked.
 */
export function nextModels(before: ModelsDoc | null, findings: ModelFinding[], checked: VendorName[], now: number): { models: ModelsDoc; alerts: ModelFinding[] } {
  const told = before?.told ?? [];
  const alerts = findings.filter((finding) => !told.includes(line(finding)));
  const kept = told.filter((each) => !checked.some((provider) => each.startsWith(`${provider}/`)));
  return { models: { told: [...kept, ...findings.map(line)], alerts: (before?.alerts ?? 0) + alerts.length, checkedAt: now }, alerts };
}

/** What operators are told once: a model, what is wrong with it, the day, and how near that is. */
function line({ provider, model, kind, shutdownAt, daysLeft }: ModelFinding): string {
  const day = shutdownAt === null ? 'unknown' : new Date(shutdownAt).toISOString().slice(0, 10);
  const near = kind === 'retiring' ? ` ${warnAtDays.findLast((days) => daysLeft! <= days)}` : '';
  return `${provider}/${model} ${kind} ${day}${near}`;
}
