/** Ratings that are new since the last poll. Dify sends no notifications, and lists ratings newest first, without a total. */
import { FEEDBACK_LIST } from '../../lib/dify/app';
import type { DifyClient } from '../../lib/dify/client';
import { iteratePages } from '../../lib/dify/pages';
import { pushAll } from '../../lib/values/lists';
import type { JsonRecord } from '../../lib/values/records';
import { asNonEmptyString } from '../../lib/values/records';
import { getOwn } from '../../lib/values/own-properties';

/** State of the last poll, as plain data in n8n's database. */
export interface FeedbackState {
	/** When the newest record was created, in milliseconds. */
	newest: number;
	/** `updated_at` of the newest records, by ID. A changed rating keeps its position in the list. */
	known: Record<string, string>;
}

/** A rating that is new, or changed. */
export interface Rating {
	/** As Dify sent it. */
	feedback: JsonRecord;
	/** False: an earlier rating was changed. */
	isNew: boolean;
}

interface NewFeedback {
	/** Oldest first. */
	ratings: Rating[];
	/** To store for the next poll. */
	state: FeedbackState;
}

/** Several workers write records, so one may appear after newer ones. */
const GRACE_MS = 60_000;

/**
 * Fetches the ratings since the last poll.
 *
 * @param state of the last poll; undefined at the first one, which returns no ratings
 */
export async function fetchNewFeedback(
	client: DifyClient,
	state: FeedbackState | undefined,
): Promise<NewFeedback> {
	const since = (state?.newest ?? Infinity) - GRACE_MS;
	const records = await fetchRecordsSince(client, since);
	const ratings = records.flatMap((feedback) => {
		const previousStamp = getOwn(state?.known, String(feedback.id));
		const isNew = previousStamp === undefined;
		const isEvent = isNew ? getTime(feedback) >= since : previousStamp !== getStamp(feedback);
		return isEvent ? [{ feedback, isNew }] : [];
	});
	const stamps = records.map((record) => [String(record.id), getStamp(record)] as const);
	const newest = records[0] === undefined ? (state?.newest ?? 0) : getTime(records[0]);
	return {
		ratings: ratings.reverse(),
		state: { newest, known: Object.fromEntries(stamps) },
	};
}

/** The newest page, and more pages while all their ratings are new. */
async function fetchRecordsSince(client: DifyClient, since: number) {
	const records: JsonRecord[] = [];
	for await (const page of iteratePages(client, FEEDBACK_LIST)) {
		pushAll(records, page);
		const oldest = page.at(-1);
		if (oldest === undefined || getTime(oldest) < since) break;
	}
	return records;
}

function getStamp({ updated_at: updatedAt }: JsonRecord) {
	return String(updatedAt ?? '');
}

/** Unlike elsewhere in Dify, these times are ISO strings, in UTC without a zone. */
function getTime({ created_at: createdAt }: JsonRecord) {
	const text = asNonEmptyString(createdAt) ?? '';
	const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
	return Number.isNaN(time) ? 0 : time;
}
