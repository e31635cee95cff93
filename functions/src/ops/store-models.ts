import type { DocumentReference } from 'firebase-admin/firestore';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import type { VendorName } from '../providers/types.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import { nextModels, type ModelFinding, type ModelsDoc } from './models.ts';

/** ops/models */
export function modelsRef(): DocumentReference<ModelsDoc> {
  return db().collection('ops').doc('models') as DocumentReference<ModelsDoc>;
}

/** Publishes platform.model_retiring for each finding that operators have not been told yet; answers those. */
export async function publishFindings(findings: ModelFinding[], checked: VendorName[], now: number): Promise<ModelFinding[]> {
  return commitIfUnchanged(async (): Promise<Plan<ModelFinding[]>> => {
    const snapshot = await modelsRef().get();
    const before = snapshot.data() ?? null;
    const { models, alerts } = nextModels(before, findings, checked, now);
    return { result: alerts, write: (batch) => {
      if (before) batch.update(modelsRef(), { ...models }, unchanged(snapshot));
      else batch.create(modelsRef(), models);
      alerts.forEach((finding, index) => {
        const event = newEvent({ type: 'platform.model_retiring', subject: 'models', sequence: (before?.alerts ?? 0) + index + 1, data: findingView(finding) });
        batch.create(outboxRef(event.eventId), toOutbox(event));
      });
    } };
  });
}

/** A finding as events and logs show it. */
export function findingView({ provider, model, settings, kind, shutdownAt, daysLeft }: ModelFinding): Record<string, unknown> {
  return { provider, model, settings, kind, shutdownAt: shutdownAt === null ? null : new Date(shutdownAt).toISOString(), daysLeft };
}
