/** Ratings since the last poll: Dify sends no notifications, and lists them newest first, without a total. */
import { FEEDBACK_LIST } from '../../lib/dify/app/feedback';
import type { DifyClient } from '../../lib/dify/client';
import { iteratePages } from '../../lib/dify/pagination';
import { pushAll, asNonEmptyString, type JsonRecord } from '../../lib/values';

/** Several workers write records, so one may appear after newer ones. */
const GRACE_MS = 60_000;

/** State of the last poll, as plain data in n8n's database. */
export interface PollState {
	/** When the newest record was created, in milliseconds. */
	newest: number;
	/** `updated_at` of the newest records, by ID. A changed rating keeps its position in the list. */
	known: Record<string, string>;
}

interface PollResult {
	state: PollState;
	/** Oldest first. `isNew` false: an earlier rating was changed. */
	ratings: Array<{ feedback: JsonRecord; isNew: boolean }>;
}

/** @param state undefined at the first poll, which returns no ratings */
export async function pollFeedback(
	client: DifyClient,
	state: PollState | undefined,
): Promise<PollResult> {
	const records = await fetchRecordsSince(client, state);
	const since = (state?.newest ?? Infinity) - GRACE_MS;
	const ratings = records
		.map((feedback) => ({ feedback, previousStamp: state?.known[String(feedback.id)] }))
		.filter(({ feedback, previousStamp }) =>
			previousStamp === undefined
				? getTime(feedback) >= since
				: previousStamp !== getStamp(feedback),
		)
		.map(({ feedback, previousStamp }) => ({ feedback, isNew: previousStamp === undefined }));
	const stamps = records.map((record) => [String(record.id), getStamp(record)] as const);
	const newest = records[0] === undefined ? (state?.newest ?? 0) : getTime(records[0]);
	return { state: { newest, known: Object.fromEntries(stamps) }, ratings: ratings.reverse() };
}

/** The newest page, and more pages while all their ratings are new. */
async function fetchRecordsSince(
	client: DifyClient,
	state: PollState | undefined,
): Promise<JsonRecord[]> {
	const records: JsonRecord[] = [];
	for await (const page of iteratePages(client, FEEDBACK_LIST)) {
		pushAll(records, page);
		const oldest = page.at(-1);
		if (oldest === undefined || getTime(oldest) < (state?.newest ?? Infinity) - GRACE_MS) break;
	}
	return records;
}

function getStamp({ updated_at: updatedAt }: JsonRecord): string {
	return String(updatedAt ?? '');
}

/** Unlike elsewhere in Dify, these times are ISO strings, in UTC without a zone. */
function getTime({ created_at: createdAt }: JsonRecord): number {
	const text = asNonEmptyString(createdAt) ?? '';
	const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
	return Number.isNaN(time) ? 0 : time;
}
