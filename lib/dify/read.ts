import { isRecord, parseJson } from '../values';

/**
 * Careful readers for what a server sent. Dify's versions disagree on null, empty string and absent (contract 3.11), so
 * all three read as undefined.
 */
export type Fields = Record<string, unknown>;

export { isRecord as isFields, parseJson };

export function text(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

export function number(value: unknown): number | undefined {
	return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function list(value: unknown): unknown[] {
	return Array.isArray(value) ? (value as unknown[]) : [];
}

export function fieldsList(value: unknown): Fields[] {
	return list(value).filter(isRecord);
}

export function fields(value: unknown): Fields {
	return isRecord(value) ? value : {};
}

/** Whether a value says anything: not null, not absent, not an empty text, list or object. */
export function says(value: unknown): boolean {
	if (value === null || value === undefined || value === '') return false;
	if (Array.isArray(value)) return value.length > 0;
	return !isRecord(value) || Object.keys(value).length > 0;
}
