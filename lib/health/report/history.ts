import { parseJson } from '../../json';
import {
	asList,
	isRecord,
	type JsonRecord,
	largestOf,
	nonEmptyText,
	plainNumber,
	recordsIn,
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
export function readHistory(stored: unknown): History {
	const reader = new HistoryReader();
	reader.read(stored);
	const entries = [...reader.entries.values()].sort((one, other) =>
		one.checkedAt.localeCompare(other.checkedAt),
	);
	return { entries: entries.slice(-MAX_ENTRIES), skipped: reader.skipped };
}

/** Results nest no deeper: text, list of items, `json`, servers. */
const MAX_DEPTH = 6;

class HistoryReader {
	/** By time and server. */
	readonly entries = new Map<string, HistoryEntry>();
	skipped = 0;

	read(value: unknown, depth = 0): void {
		if (value === undefined || value === null) return;
		if (isRecord(value)) return this.readRecord(value, depth);
		if (depth >= MAX_DEPTH) return this.skip();
		if (typeof value === 'string') return this.readText(value, depth);
		if (!Array.isArray(value)) return this.skip();
		for (const one of value) this.read(one, depth + 1);
	}

	private readText(value: string, depth: number): void {
		if (value.trim() === '') return;
		const parsed = parseJson(value);
		if (typeof parsed !== 'object') return this.skip();
		this.read(parsed, depth + 1);
	}

	private readRecord(value: JsonRecord, depth: number): void {
		const inside = resultsInside(value);
		if (inside !== undefined) return this.read(inside, depth + 1);
		const entry = entryOf(value);
		if (entry !== undefined) this.entries.set(`${entry.checkedAt} ${entry.url}`, entry);
		// A table without rows gives an empty item, where it always gives something.
		else if (Object.keys(value).length > 0) this.skip();
	}

	private skip(): void {
		this.skipped++;
	}
}

/** The results in an item of n8n, in a change that the trigger reported, or of several servers. */
function resultsInside({ json, health, servers }: JsonRecord): unknown {
	if (isRecord(json)) return json;
	if (isRecord(health)) return health;
	const list = asList(servers);
	return list.length > 0 ? list : undefined;
}

function entryOf(value: JsonRecord): HistoryEntry | undefined {
	const checkedAt = timeOf(value.checkedAt);
	const status = nonEmptyText(value.status);
	if (checkedAt === undefined || status === undefined) return undefined;
	const { model, alone, together } = speedIn(value);
	return {
		checkedAt,
		url: nonEmptyText(value.url) ?? null,
		status: status.slice(0, 40),
		model: nonEmptyText(model) ?? null,
		tokensPerSecond: numberOf(alone.tokensPerSecond),
		firstTokenMs: numberOf(alone.firstTokenMs),
		totalTokensPerSecond: numberOf(together.totalTokensPerSecond),
		atOnce: numberOf(together.atOnce),
		latencyMs: numberOf(value.latencyMs),
		queue: numberOf(value.queue),
	};
}

/** The run of one request alone, and the one with the most tokens per second. An entry of a history has both in it. */
function speedIn(value: JsonRecord): { model: unknown; alone: JsonRecord; together: JsonRecord } {
	if (!isRecord(value.speed)) return { model: value.model, alone: value, together: value };
	const runs = recordsIn(asList(value.speed.runs));
	const totalOf = (run: JsonRecord) => numberOf(run.totalTokensPerSecond) ?? 0;
	const most = largestOf(runs.map(totalOf));
	return {
		model: value.speed.model ?? value.model,
		alone: runs.find(({ atOnce }) => numberOf(atOnce) === 1) ?? {},
		together: runs.find((run) => totalOf(run) === most) ?? {},
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
