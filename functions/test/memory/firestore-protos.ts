/** The requests and answers of Firestore's protocol, as far as the Admin SDK sends them for what JIGA does. */

/** A moment on the wire. The SDK sends the seconds as text. */
export interface ProtoTime { seconds?: number | string; nanos?: number }

/** A value on the wire: exactly one member is present. */
export interface Value {
  nullValue?: 'NULL_VALUE';
  booleanValue?: boolean;
  integerValue?: number | string;
  doubleValue?: number;
  timestampValue?: ProtoTime;
  stringValue?: string;
  bytesValue?: Uint8Array;
  referenceValue?: string;
  arrayValue?: { values?: Value[] };
  mapValue?: { fields?: Fields };
}

/** The fields of a document or of a map. */
export type Fields = Record<string, Value>;

/** What a write demands of the document as it is. */
export interface ProtoPrecondition { exists?: boolean; updateTime?: ProtoTime }

/** A change of one field that depends on what it is, or on the time. */
export interface Transform { fieldPath: string; setToServerValue?: string; increment?: Value }

/** One write of a commit. */
export interface Write {
  update?: { name: string; fields?: Fields };
  delete?: string;
  updateMask?: { fieldPaths?: string[] };
  updateTransforms?: Transform[];
  currentDocument?: ProtoPrecondition;
}

/** A document as it is answered. */
export interface ProtoDocument { name: string; fields: Fields; createTime: ProtoTime; updateTime: ProtoTime }

/** A condition on one field. */
export interface FieldFilter { field: { fieldPath: string }; op: string; value: Value }

/** A condition of a query. */
export interface Filter {
  compositeFilter?: { op: string; filters: Filter[] };
  fieldFilter?: FieldFilter;
  unaryFilter?: { field: { fieldPath: string }; op: string };
}

/** One level of the order of a query. */
export interface Order { field: { fieldPath: string }; direction: string }

/** Where a query starts or ends: values for the first levels of its order. */
export interface Cursor { values: Value[]; before?: boolean }

/** A search for the documents whose vector is nearest to another one. */
export interface FindNearest {
  vectorField: { fieldPath: string };
  queryVector: Value;
  distanceMeasure: string;
  limit: { value: number };
  distanceThreshold?: { value: number };
  distanceResultField?: string;
}

/** A query. */
export interface StructuredQuery {
  from: { collectionId?: string; allDescendants?: boolean }[];
  where?: Filter;
  orderBy?: Order[];
  startAt?: Cursor;
  endAt?: Cursor;
  limit?: { value: number };
  offset?: number;
  select?: { fields?: { fieldPath: string }[] };
  findNearest?: FindNearest;
}

/** A number that is made of the documents a query selects. */
export interface Aggregation { alias: string; count?: object; sum?: { field: { fieldPath: string } } }

/** What the requests that read contain. */
export interface ReadRequest {
  parent: string;
  structuredQuery?: StructuredQuery;
  structuredAggregationQuery?: { structuredQuery: StructuredQuery; aggregations: Aggregation[] };
}
