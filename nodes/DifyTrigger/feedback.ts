/** Ratings that are new since the last poll. Dify sends no notifications, and lists ratings newest first, without a total. */
import { createHash } from 'node:crypto';
import { FEEDBACK_LIST, FEEDBACK_PAGE_SIZE } from '../../lib/dify/app';
import type { DifyClient } from '../../lib/dify/client';
import { iteratePages } from '../../lib/dify/pages';
import { pushAll } from '../../lib/values/lists';
import { asFiniteNumber, maxOf } from '../../lib/values/numbers';
import type { JsonRecord } from '../../lib/values/records';
import { asNonEmptyString, asRecord, isRecord, omitUndefined } from '../../lib/values/records';
import { getOwn } from '../../lib/values/own-properties';

/** State of the last poll, as plain data in n8n's database. Bounded: `MAX_KNOWN` entries of two short texts. */
export interface FeedbackState {
	/** When the newest record was created, in milliseconds. Missing if no record had a readable time. */
	newest?: number;
	/** `updated_at` of the newest records, by ID, both as `toShortText`. A changed rating keeps its position in the list. */
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

/** A record of the list, and what the polls compare. */
interface Entry {
	feedback: JsonRecord;
	/** Its ID, or its content if it has none, as `toShortText`. */
	key: string;
	/** `updated_at` as `toShortText`. */
	stamp: string;
	/** When it was created, in milliseconds; undefined if that is unreadable or in the future. */
	time: number | undefined;
}

/** Several workers write records, so one may appear after newer ones. */
const GRACE_MS = 60_000;

/** A later time is wrong, or n8n's clock is: then the position in the list decides. */
const MAX_AHEAD_MS = 60_000;

/**
 * Known records of the state: two pages, since a page that is partly new ends within records of the last poll's next
 * page. Records beyond are older than all of these, so they start nothing.
 */
const MAX_KNOWN = 2 * FEEDBACK_PAGE_SIZE;

/** Characters of an ID or time in the state. Dify's have up to 36. */
const MAX_SHORT_LENGTH = 64;

/**
 * Fetches the ratings since the last poll.
 *
 * @param state of the last poll; undefined at the first one, which returns no ratings
 */
export async function fetchNewFeedback(
	client: DifyClient,
	state: FeedbackState | undefined,
): Promise<NewFeedback> {
	const entries = await fetchEntriesSince(client, state);
	const ratings = state === undefined ? [] : findRatings(entries, state);
	const times = entries.flatMap(({ time }) => time ?? []);
	const newest = maxOf(times, state?.newest);
	return {
		ratings: ratings.reverse(),
		state: {
			...(Number.isFinite(newest) ? { newest } : {}),
			// An unreadable stamp replaces no known one.
			known: Object.fromEntries(
				entries
					.slice(0, MAX_KNOWN)
					.map(({ key, stamp }) => [key, stamp || (getOwn(state?.known, key) ?? '')]),
			),
		},
	};
}

/**
 * Reads a stored state, also that of an earlier version, which had texts of any length, and 0 as an unknown time.
 *
 * @returns undefined if there is none, so that the next poll is the first one
 */
export function parseFeedbackState(stored: unknown): FeedbackState | undefined {
	const { newest, known } = asRecord(stored);
	if (!isRecord(known)) return undefined;
	const entries = Object.entries(known).map(([id, stamp]) => [
		toShortText(id),
		toShortText(toStamp(stamp)),
	]);
	const time = toPlausibleTime(asFiniteNumber(newest));
	return {
		...omitUndefined({ newest: time }),
		known: Object.fromEntries(entries) as Record<string, string>,
	};
}

/** The newest page, and more pages while most of their ratings are new: one record with a wrong time never decides. */
async function fetchEntriesSince(client: DifyClient, state: FeedbackState | undefined) {
	const entries: Entry[] = [];
	for await (const page of iteratePages(client, FEEDBACK_LIST)) {
		const next = page.map(toEntry);
		pushAll(entries, next);
		if (state === undefined) break;
		const old = next.filter((entry) => isKnown(entry, state) || isRecent(entry, state) === false);
		if (2 * old.length >= next.length) break;
	}
	return entries;
}

/** New and changed ratings, in the order of the list. */
function findRatings(entries: readonly Entry[], state: FeedbackState): Rating[] {
	const lastKnown = entries.findLastIndex((entry) => isKnown(entry, state));
	const knownCount = Object.keys(state.known).length;
	// Behind the end of a full page, which the last poll did not read.
	const isBeyond = (index: number) =>
		knownCount >= FEEDBACK_PAGE_SIZE && lastKnown >= 0 && index > lastKnown;
	return entries.flatMap((entry, index) => {
		const { feedback, key, stamp } = entry;
		const isNew = !isKnown(entry, state);
		// The list is in the order of time: a record that is followed by a known one is newer than that one.
		const isLater = isRecent(entry, state) ?? (knownCount === 0 || index < lastKnown);
		const isEvent = isNew
			? isLater && !isBeyond(index)
			: isChanged(getOwn(state.known, key) ?? '', stamp);
		return isEvent ? [{ feedback, isNew }] : [];
	});
}

function isKnown({ key }: Entry, { known }: FeedbackState): boolean {
	return getOwn(known, key) !== undefined;
}

/** Whether the time of a change is another one, also if it is written in another way. An unreadable one says nothing. */
function isChanged(known: string, stamp: string): boolean {
	const [before, now] = [known, stamp].map((text) => parseTime(text) ?? text);
	return before !== '' && now !== '' && before !== now;
}

/** Whether its time is that of a new rating; undefined if the times do not tell. */
function isRecent({ time }: Entry, { newest }: FeedbackState): boolean | undefined {
	return time === undefined || newest === undefined ? undefined : time >= newest - GRACE_MS;
}

function toEntry(feedback: JsonRecord): Entry {
	const { id, created_at: createdAt, updated_at: updatedAt } = feedback;
	return {
		feedback,
		key: toShortText(toStamp(id) || JSON.stringify(feedback)),
		stamp: toShortText(toStamp(updatedAt)),
		time: parseTime(createdAt),
	};
}

/** An ID or time as text; empty if it is neither text nor a number. */
function toStamp(value: unknown): string {
	return asNonEmptyString(value) ?? asFiniteNumber(value)?.toString() ?? '';
}

/** A text of any length as one of limited length, each with its own. */
function toShortText(text: string): string {
	if (text.length <= MAX_SHORT_LENGTH) return text;
	return createHash('sha256').update(text).digest('base64');
}

/** Unlike elsewhere in Dify, these times are ISO strings, in UTC without a zone. */
function parseTime(createdAt: unknown): number | undefined {
	const text = asNonEmptyString(createdAt) ?? '';
	if (!/^\d{4}-\d\d-\d\dT/.test(text)) return undefined;
	return toPlausibleTime(
		asFiniteNumber(Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)),
	);
}

function toPlausibleTime(time: number | undefined): number | undefined {
	const isPlausible = time !== undefined && time > 0 && time <= Date.now() + MAX_AHEAD_MS;
	return isPlausible ? time : undefined;
}
