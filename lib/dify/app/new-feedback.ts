import { nonEmptyText, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { listIn, rejectEndless } from '../paging';

/** Dify's largest page of feedback; a larger limit is answered with 400 (docs/protocols/dify.md 2.6). */
const PAGE_SIZE = 101;
/** Several workers write records, so one may appear after newer ones. */
const GRACE_MS = 60_000;

/** What was seen of an app's feedback, to find new records. Plain data. */
export interface FeedbackMemory {
	/** When the newest record was created; null where there was none. */
	newest: string | null;
	/** `updated_at` of the newest records, by ID. */
	known: Record<string, string>;
}

interface NewFeedback {
	memory: FeedbackMemory;
	/** Oldest first. `isNew` false: an earlier rating was changed. */
	found: Array<{ feedback: JsonRecord; isNew: boolean }>;
}

/**
 * Feedback of an app since the last poll: Dify sends no notifications, and lists feedback newest first, without a
 * total. A changed rating keeps its place in the list, so only changes among the newest hundred are found.
 *
 * @param memory undefined at the first poll, which finds nothing
 */
export async function newFeedback(
	client: DifyClient,
	memory: FeedbackMemory | undefined,
): Promise<NewFeedback> {
	const since = memory === undefined ? undefined : cutoffOf(memory.newest);
	const records = await recordsSince(client, since);
	const found = records
		.filter(({ record, at }) => memory !== undefined && isNewOrChanged(record, at, memory))
		.map(({ record }) => ({
			feedback: record,
			isNew: memory?.known[String(record.id)] === undefined,
		}))
		.reverse();
	const newest = nonEmptyText(records[0]?.record.created_at) ?? memory?.newest ?? null;
	const kept = records.filter(({ at }, index) => index < PAGE_SIZE || at >= cutoffOf(newest));
	return {
		found,
		memory: {
			newest,
			known: Object.fromEntries(
				kept.map(({ record }) => [String(record.id), String(record.updated_at ?? '')]),
			),
		},
	};
}

function isNewOrChanged(
	record: JsonRecord,
	at: number,
	{ newest, known }: FeedbackMemory,
): boolean {
	const updatedAt = known[String(record.id)];
	return updatedAt === undefined
		? at >= cutoffOf(newest)
		: updatedAt !== String(record.updated_at ?? '');
}

/** Milliseconds since 1970. Records created before are known. */
function cutoffOf(newest: string | null): number {
	return newest === null ? -Infinity : timeOf(newest) - GRACE_MS;
}

/** Newest first: the first page, and all that is not older than `since` (default: the cutoff of the newest record). */
async function recordsSince(client: DifyClient, since: number | undefined) {
	let begin = since;
	const records = new Map<string, { record: JsonRecord; at: number }>();
	for (let page = 1; ; page++) {
		rejectEndless(page);
		const answer = await client.get('/app/feedbacks', { page, limit: PAGE_SIZE });
		const pageRecords = listIn(answer.data);
		const before = records.size;
		for (const record of pageRecords) {
			const id = nonEmptyText(record.id);
			if (id !== undefined && !records.has(id))
				records.set(id, { record, at: timeOf(record.created_at) });
		}
		begin ??= cutoffOf(nonEmptyText(pageRecords[0]?.created_at) ?? null);
		const isLast = pageRecords.length < PAGE_SIZE || records.size === before;
		if (isLast || pageRecords.some((record) => timeOf(record.created_at) < begin!)) break;
	}
	return [...records.values()];
}

/** Unlike everywhere else in Dify, these times are ISO texts, in UTC without a zone. */
function timeOf(value: unknown): number {
	const text = nonEmptyText(value) ?? '';
	const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
	return Number.isNaN(time) ? 0 : time;
}
