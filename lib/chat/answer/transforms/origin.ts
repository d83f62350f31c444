import { isRecord, recordOf } from '../../../values';
import type { Chunk } from '../chunk';

/** The first choice of the event of a chunk. */
export function choiceOf({ origin }: Chunk): Record<string, unknown> {
	const { choices } = recordOf(origin?.json);
	return recordOf(Array.isArray(choices) ? choices[0] : undefined);
}

/** The delta of that choice. */
export function deltaOf(chunk: Chunk): Record<string, unknown> {
	return recordOf(choiceOf(chunk).delta);
}

/** The event, if it is a JSON object. */
export function jsonOf({ origin }: Chunk): Record<string, unknown> | undefined {
	return isRecord(origin?.json) ? origin.json : undefined;
}
