import type { IDataObject } from 'n8n-workflow';

import { isRecord } from '../../../lib/values';

/** A copy without undefined values, which n8n would store. Texts of megabytes are not copied. */
export function toPlainObject(value: object): IDataObject {
	return withoutUndefined(value) as IDataObject;
}

function withoutUndefined(value: unknown): unknown {
	if (Array.isArray(value)) return value.map((inner: unknown) => withoutUndefined(inner) ?? null);
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
	return Object.fromEntries(entries.map(([key, inner]) => [key, withoutUndefined(inner)]));
}
