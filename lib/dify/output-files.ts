/** Finds the files in the outputs of a run. */
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asString, isRecord } from '../values/records';
import type { DifyClient } from './client';

/** Dify marks file objects with this value. */
const FILE_MARK = '__dify__file__';

/** Max depth of files in the outputs. */
const MAX_DEPTH = 20;

/** Signature in a file URL: it changes with every event. */
const SIGNATURE = /([?&])(?:timestamp|nonce|sign)=[^&]*/g;

/** What identifies a file: its IDs, and its URL. */
export function getFileKeys({ id, related_id: related, url }: JsonRecord): string[] {
	return [id, related, asString(url)?.replace(SIGNATURE, '$1')]
		.map(asNonEmptyString)
		.filter((key) => key !== undefined);
}

/** The files in the outputs of a run, at any depth, then those of `files`; each file once. */
export function collectOutputFiles(
	outputs: unknown,
	files: readonly JsonRecord[] = [],
): JsonRecord[] {
	const visited = new Set<unknown>();
	return [...findFileObjects(outputs), ...files].filter((file) => {
		const names = getFileKeys(file);
		const isNew = names.length === 0 || !names.some((name) => visited.has(name));
		for (const name of names) visited.add(name);
		return isNew;
	});
}

function findFileObjects(value: unknown, depth = 0): JsonRecord[] {
	if (depth > MAX_DEPTH) return [];
	if (isRecord(value) && value.dify_model_identity === FILE_MARK) return [value];
	if (typeof value !== 'object' || value === null) return [];
	return Object.values(value).flatMap((entry) => findFileObjects(entry, depth + 1));
}

/** A file with an absolute URL: relative ones are on the Dify server (docs/protocols/dify.md 2.9). */
export function withAbsoluteUrl({ endpoint }: DifyClient, file: JsonRecord): JsonRecord {
	const url = asNonEmptyString(file.url);
	if (url === undefined || !URL.canParse(url, endpoint.url.api)) return file;
	return { ...file, url: new URL(url, endpoint.url.api).href };
}
