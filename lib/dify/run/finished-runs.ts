import {
	finiteNumber,
	type JsonRecord,
	largestOf,
	nonEmptyText,
	recordOf,
	smallestOf,
} from '../../values';
import type { DifyClient } from '../client';
import { listIn, rejectEndless } from '../paging';

const PAGE_SIZE = 100;
/** Passes over the list: rows of one second change places between two pages, so that one can be missed. */
const MAX_PASSES = 3;
/** Several workers write entries, so one may appear after newer ones. */
const GRACE_S = 60;
/** A stopped run may stay `running` for ever (docs/protocols/dify.md 2.4): older ones are ignored. */
const OPEN_LIMIT_S = 24 * 3600;

/** Statuses of a run that has not ended. */
const OPEN: ReadonlySet<string> = new Set(['running', 'paused', 'scheduled']);

/** What was seen of an app's log, to find new entries. Plain data. */
export interface RunMemory {
	/** Unix seconds: older entries are known or ignored. */
	since: number;
	/** IDs of runs since then that were delivered. */
	given: string[];
}

interface FinishedRuns {
	memory: RunMemory;
	/** Entries of the log whose run has ended, oldest first. */
	found: JsonRecord[];
}

/**
 * Runs of a workflow app that ended since the last poll, from its log: Dify sends no notifications. The log is sorted
 * by start, so it is read from the oldest run that had not ended. The observer is for one run: this is about all of them.
 *
 * @param memory undefined at the first poll, which finds nothing
 * @param now Unix seconds
 */
export async function finishedRuns(
	client: DifyClient,
	memory: RunMemory | undefined,
	now = Math.floor(Date.now() / 1000),
): Promise<FinishedRuns> {
	const entries = await entriesSince(client, memory?.since, now);
	const reported = new Set(memory?.given);
	const ended = entries.filter(({ status }) => !OPEN.has(status));
	const found =
		memory === undefined
			? []
			: ended.filter(({ id }) => !reported.has(id)).map(({ entry }) => entry);
	const newest = upTo(
		now,
		largestOf(
			entries.map(({ at }) => at),
			memory?.since ?? 0,
		),
	);
	const open = entries.filter(({ status, at }) => OPEN.has(status) && at > newest - OPEN_LIMIT_S);
	const since = Math.max(
		memory?.since ?? 0,
		smallestOf(
			open.map(({ at }) => at),
			newest - GRACE_S,
		),
	);
	return {
		found: found.reverse(),
		memory: { since, given: ended.filter(({ at }) => at >= since).map(({ id }) => id) },
	};
}

/** An entry out of the future, which a clock that jumped leaves, must not hide those that come before that time. */
function upTo(now: number, at: number): number {
	return Math.min(now, at);
}

interface Entry {
	entry: JsonRecord;
	/** ID of the run. */
	id: string;
	/** Unix seconds. */
	at: number;
	status: string;
}

/** Newest first. Without `since`: the first page, and all runs of the last day. */
async function entriesSince(
	client: DifyClient,
	since: number | undefined,
	now: number,
): Promise<Entry[]> {
	const entries = new Map<string, Entry>();
	for (let pass = 0; pass < MAX_PASSES; pass++) {
		const before = entries.size;
		const pages = await readInto(entries, client, since, now);
		if (pages < 2 || entries.size === before) break;
	}
	return [...entries.values()].sort((one, other) => other.at - one.at);
}

/** @returns how many pages were read */
async function readInto(
	entries: Map<string, Entry>,
	client: DifyClient,
	since: number | undefined,
	now: number,
): Promise<number> {
	// Inclusive, and Dify compares with fractions of a second.
	const after = since === undefined ? undefined : new Date(since * 1000).toISOString();
	const seen = new Set<string>();
	for (let page = 1; ; page++) {
		rejectEndless(page);
		const query = { page, limit: PAGE_SIZE, created_at__after: after };
		const answer = await client.get('/workflows/logs', query);
		const pageEntries = listIn(answer.data).flatMap((entry) => entryOf(entry) ?? []);
		const before = seen.size;
		for (const entry of pageEntries) {
			seen.add(entry.id);
			if (!entries.has(entry.id)) entries.set(entry.id, entry);
		}
		if (answer.has_more !== true || seen.size === before) return page;
		const newest = upTo(now, entries.values().next().value!.at);
		if (since === undefined && pageEntries.at(-1)!.at < newest - OPEN_LIMIT_S) return page;
	}
}

/** Undefined for an entry without a run: Dify has archived it. */
function entryOf(entry: JsonRecord): Entry | undefined {
	const run = recordOf(entry.workflow_run);
	const id = nonEmptyText(run.id);
	const status = nonEmptyText(run.status);
	if (id === undefined || status === undefined) return undefined;
	return {
		entry,
		id,
		status,
		at: Math.floor(finiteNumber(entry.created_at) ?? finiteNumber(run.created_at) ?? 0),
	};
}

/** Entries of the newest page of the log whose run has ended, newest first. */
export async function newestRuns(client: DifyClient): Promise<JsonRecord[]> {
	const answer = await client.get('/workflows/logs', { page: 1, limit: PAGE_SIZE });
	const entries = listIn(answer.data).flatMap((entry) => entryOf(entry) ?? []);
	return entries.filter(({ status }) => !OPEN.has(status)).map(({ entry }) => entry);
}
