/** Ratings since the last poll: Dify sends no notifications, and lists them newest first, without a total. */
import { FEEDBACK_LIST } from '../../lib/dify/app/feedback';
import type { DifyClient } from '../../lib/dify/client';
import { pagesOf } from '../../lib/dify/pagination';
import { pushAll, asNonEmptyString, type JsonRecord } from '../../lib/values';

/** Several workers write records, so one may appear after newer ones. */
const GRACE_MS = 60_000;

/** What was seen, as plain data in n8n's database. */
export interface PollState {
	/** When the newest record was created, in milliseconds. */
	newest: number;
	/** `updated_at` of the newest records, by ID. A changed rating keeps its place in the list. */
	known: Record<string, string>;
}

interface PollResult {
	memory: PollState;
	/** Oldest first. `isNew` false: an earlier rating was changed. */
	found: Array<{ feedback: JsonRecord; isNew: boolean }>;
}

/** @param memory undefined at the first poll, which finds nothing */
export async function pollFeedback(
	client: DifyClient,
	memory: PollState | undefined,
): Promise<PollResult> {
	const records = await recordsSince(client, memory);
	const since = (memory?.newest ?? Infinity) - GRACE_MS;
	const found = records
		.map((feedback) => ({ feedback, before: memory?.known[String(feedback.id)] }))
		.filter(({ feedback, before }) =>
			before === undefined ? timeOf(feedback) >= since : before !== stampOf(feedback),
		)
		.map(({ feedback, before }) => ({ feedback, isNew: before === undefined }));
	const stamps = records.map((record) => [String(record.id), stampOf(record)] as const);
	const newest = records[0] === undefined ? (memory?.newest ?? 0) : timeOf(records[0]);
	return { memory: { newest, known: Object.fromEntries(stamps) }, found: found.reverse() };
}

/** The newest page, and more where that is all newer than what is known. */
async function recordsSince(
	client: DifyClient,
	memory: PollState | undefined,
): Promise<JsonRecord[]> {
	const records: JsonRecord[] = [];
	for await (const page of pagesOf(client, FEEDBACK_LIST)) {
		pushAll(records, page);
		const oldest = page.at(-1);
		if (oldest === undefined || timeOf(oldest) < (memory?.newest ?? Infinity) - GRACE_MS) break;
	}
	return records;
}

function stampOf({ updated_at: updatedAt }: JsonRecord): string {
	return String(updatedAt ?? '');
}

/** Unlike everywhere else in Dify, these times are ISO texts, in UTC without a zone. */
function timeOf({ created_at: createdAt }: JsonRecord): number {
	const text = asNonEmptyString(createdAt) ?? '';
	const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
	return Number.isNaN(time) ? 0 : time;
}
