import {
	asList,
	isRecord,
	nonEmptyText,
	parseJson,
	plainNumber,
	recordsIn,
	type JsonRecord,
} from '../../values';
import type { CheckResult } from '../observations';
import type { SpeedRun } from '../speed/measure';

/** One earlier state of a server, flat, so that it fits into a row of a table. Null = not known. */
export interface HistoryEntry {
	/** ISO time. */
	checkedAt: string;
	url: string | null;
	status: string;
	model: string | null;
	/** Of one request alone. */
	tokensPerSecond: number | null;
	firstTokenMs: number | null;
	/** The most that all requests of a round made together, and how many they were. */
	totalTokensPerSecond: number | null;
	atOnce: number | null;
	latencyMs: number | null;
	queue: number | null;
}

export interface History {
	/** Oldest first. */
	entries: HistoryEntry[];
	/** Earlier results that could not be read. */
	skipped: number;
}

/** The newest ones count; a plot of more shows no more. */
const MAX_ENTRIES = 1000;

type Result = CheckResult & {
	speed?: { model: string; runs: ReadonlyArray<Omit<SpeedRun, 'samples' | 'failures'>> } | null;
};

/** History entries of a result: one for each server. */
export function entriesOf(result: Result): HistoryEntry[] {
	return (result.servers ?? [result]).map(
		(server: Result) => entryOf(server as unknown as JsonRecord)!,
	);
}

/**
 * Reads earlier results as they come out of tables, files and other nodes: results of Check, Speed Test, Report and of
 * the trigger, entries of a history, items with `json`, and lists of any of them. One time of one server counts once.
 */
export function readHistory(given: unknown): History {
	const found = new Map<string, HistoryEntry>();
	let skipped = 0;
	const read = (value: unknown, depth: number): void => {
		if (typeof value === 'string' && depth < MAX_DEPTH) {
			const parsed = parseJson(value);
			if (typeof parsed !== 'object') skipped += value.trim() === '' ? 0 : 1;
			else read(parsed, depth + 1);
		} else if (Array.isArray(value) && depth < MAX_DEPTH)
			for (const one of value) read(one, depth + 1);
		else if (isRecord(value)) readRecord(value, depth);
		else if (value !== undefined && value !== null) skipped++;
	};
	const readRecord = (value: JsonRecord, depth: number): void => {
		// An item of n8n, or a change that the trigger reported.
		const inside = isRecord(value.json)
			? value.json
			: isRecord(value.health)
				? value.health
				: undefined;
		const servers = asList(value.servers);
		if (inside !== undefined || servers.length > 0) return read(inside ?? servers, depth + 1);
		const entry = entryOf(value);
		if (entry !== undefined) found.set(`${entry.checkedAt} ${entry.url}`, entry);
		// A table without rows gives an empty item, where it always gives something.
		else if (Object.keys(value).length > 0) skipped++;
	};
	read(given, 0);
	const entries = [...found.values()].sort((one, other) =>
		one.checkedAt.localeCompare(other.checkedAt),
	);
	return { entries: entries.slice(-MAX_ENTRIES), skipped };
}

/** Results nest no deeper: text, list of items, `json`, servers. */
const MAX_DEPTH = 6;

function entryOf(value: JsonRecord): HistoryEntry | undefined {
	const checkedAt = timeOf(value.checkedAt);
	const status = nonEmptyText(value.status);
	if (checkedAt === undefined || status === undefined) return undefined;
	const speed = isRecord(value.speed) ? value.speed : undefined;
	const runs = recordsIn(asList(speed?.runs));
	const alone =
		runs.find(({ atOnce }) => numberOf(atOnce) === 1) ?? (speed === undefined ? value : {});
	const most = runs.reduce<JsonRecord | undefined>(
		(best, run) =>
			(numberOf(run.totalTokensPerSecond) ?? 0) > (numberOf(best?.totalTokensPerSecond) ?? -1)
				? run
				: best,
		undefined,
	);
	const together = most ?? (speed === undefined ? value : {});
	return {
		checkedAt,
		url: nonEmptyText(value.url) ?? null,
		status: status.slice(0, 40),
		model: nonEmptyText(speed?.model ?? value.model) ?? null,
		tokensPerSecond: numberOf(alone.tokensPerSecond),
		firstTokenMs: numberOf(alone.firstTokenMs),
		totalTokensPerSecond: numberOf(together.totalTokensPerSecond),
		atOnce: numberOf(together.atOnce),
		latencyMs: numberOf(value.latencyMs),
		queue: numberOf(value.queue),
	};
}

/** Tables give a time as ISO text or as a Date, and numbers as text at times. */
function timeOf(value: unknown): string | undefined {
	if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Date))
		return undefined;
	const time = new Date(value);
	return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function numberOf(value: unknown): number | null {
	const number = plainNumber(value);
	return number === undefined || number < 0 ? null : number;
}
