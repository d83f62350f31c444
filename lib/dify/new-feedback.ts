import { nonEmptyText, recordsIn, type JsonRecord } from '../values';
import type { DifyClient } from './client';

/** Dify's largest page of feedback; one more is a 400 (docs/protocols/dify.md 2.6). */
const PAGE_SIZE = 101;
/** A list that never ends comes from something else than Dify. */
const MAX_PAGES = 1000;
/** Records of one moment may become visible one after the other: several workers write them. */
const GRACE_MS = 60_000;

/** What was seen of the feedback of an app, to know what is new. Plain data. */
export interface FeedbackMemory {
	/** `created_at` of the newest one; null where there was none. */
	newest: string | null;
	/** `updated_at` of the ones seen last, by ID. */
	known: Record<string, string>;
}

export interface NewFeedback {
	memory: FeedbackMemory;
	/** Oldest first. `isNew` false: it was given before and changed. */
	found: Array<{ feedback: JsonRecord; isNew: boolean }>;
}

/**
 * The feedback of an app since the last time. Dify cannot tell n8n of feedback, and lists it newest first, without a
 * total. A rating that was changed keeps its place in the list: it is noticed among the newest hundred.
 *
 * @param memory undefined: everything that is there is known
 */
export async function newFeedback(client: DifyClient, memory: FeedbackMemory | undefined): Promise<NewFeedback> {
	const since = memory === undefined ? undefined : cutoffOf(memory.newest);
	const records = await recordsSince(client, since);
	const found = records
		.filter(({ record, at }) => memory !== undefined && isNewOrChanged(record, at, memory))
		.map(({ record }) => ({ feedback: record, isNew: memory?.known[String(record.id)] === undefined }))
		.reverse();
	const newest = nonEmptyText(records[0]?.record.created_at) ?? memory?.newest ?? null;
	const kept = records.filter(({ at }, index) => index < PAGE_SIZE || at >= cutoffOf(newest));
	return {
		found,
		memory: {
			newest,
			known: Object.fromEntries(kept.map(({ record }) => [String(record.id), String(record.updated_at ?? '')])),
		},
	};
}

function isNewOrChanged(record: JsonRecord, at: number, { newest, known }: FeedbackMemory): boolean {
	const updatedAt = known[String(record.id)];
	return updatedAt === undefined ? at >= cutoffOf(newest) : updatedAt !== String(record.updated_at ?? '');
}

/** Whatever was created before is known. */
function cutoffOf(newest: string | null): number {
	return newest === null ? -Infinity : timeOf(newest) - GRACE_MS;
}

/** Newest first: the first page, and all that is not older than `since`. Without it: than the newest one allows. */
async function recordsSince(client: DifyClient, since: number | undefined) {
	let begin = since;
	const records = new Map<string, { record: JsonRecord; at: number }>();
	for (let page = 1; page <= MAX_PAGES; page++) {
		const found = recordsIn((await client.get('/app/feedbacks', { page, limit: PAGE_SIZE })).data);
		const before = records.size;
		for (const record of found) {
			const id = nonEmptyText(record.id);
			if (id !== undefined && !records.has(id)) records.set(id, { record, at: timeOf(record.created_at) });
		}
		begin ??= cutoffOf(nonEmptyText(found[0]?.created_at) ?? null);
		const isLast = found.length < PAGE_SIZE || records.size === before;
		if (isLast || found.some((record) => timeOf(record.created_at) < begin!)) break;
	}
	return [...records.values()];
}

/** Unlike everywhere else in Dify, these times are ISO texts, in UTC without a zone. */
function timeOf(value: unknown): number {
	const text = nonEmptyText(value) ?? '';
	const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
	return Number.isNaN(time) ? 0 : time;
}
