/** The SDKs of the functions, for code outside of them: the baselines of the benchmarks are written with the same. */
export { initializeApp } from 'firebase-admin/app';
export { FieldValue, getFirestore, Timestamp, type DocumentData, type DocumentSnapshot } from 'firebase-admin/firestore';
export { onDocumentCreated } from 'firebase-functions/firestore';
export { HttpsError, onCall, onRequest, type CallableRequest } from 'firebase-functions/https';
