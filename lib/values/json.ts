/** JSON text. */
import { isParsable, isParsableInSteps } from '../json-memory';
import { JsonBrackets } from './json-brackets';
import { isRecord } from './records';
import type { JsonRecord } from './records';

/**
 * Levels of objects and lists. Deeper values overflow the stack in recursive code (`JSON.stringify`, n8n's own copies). Real data is never this deep.
 */
export const MAX_DEPTH = 500;

/**
 * Parses JSON.
 *
 * @param maxMemory - Bytes that its values may take, by `JsonMemory`. Default: `MAX_JSON_MEMORY`.
 * @returns undefined if the text is not JSON, is nested too deeply, or has too many values.
 */
export function parseJson(source: string, maxMemory?: number): unknown {
	return isParsable(source, { maxDepth: MAX_DEPTH, maxMemory }) ? parseSmall(source) : undefined;
}

function parseSmall(source: string): unknown {
	try {
		return JSON.parse(source) as unknown;
	} catch {
		return undefined;
	}
}

/** The same in steps, of which the last one is the parsing: it is several times as fast as the count before it. */
export function* parseJsonInSteps(source: string): Generator<undefined, unknown> {
	const isSmall = yield* isParsableInSteps(source, { maxDepth: MAX_DEPTH });
	yield;
	return isSmall ? parseSmall(source) : undefined;
}

/** Whether JSON text is nested too deeply. Parsing it first would build millions of lists. */
export function isDeepText(source: string): boolean {
	// A shorter text cannot contain that many pairs of brackets.
	if (source.length < 2 * MAX_DEPTH) return false;
	const brackets = new JsonBrackets();
	brackets.read(source);
	return brackets.deepest > MAX_DEPTH;
}

/** Whether a value is nested too deeply. */
export function isTooDeep(value: unknown, depth = 0): boolean {
	if (typeof value !== 'object' || value === null) return false;
	if (depth >= MAX_DEPTH) return true;
	return Object.values(value).some((inner) => isTooDeep(inner, depth + 1));
}

/** Parses a JSON object; undefined for anything else. */
export function parseObject(body: string): JsonRecord | undefined {
	const value = body.trimStart().startsWith('{') ? parseJson(body) : undefined;
	return isRecord(value) ? value : undefined;
}

/** JSON with the keys of every object sorted, so that equal values produce equal text. */
export function stringifyCanonical(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		isRecord(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}
