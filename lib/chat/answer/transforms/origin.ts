import { asList, isRecord, type JsonRecord, recordOf } from '../../../values';
import type { Chunk } from '../chunk';

/** The first choice of the event of a chunk. */
export function choiceOf({ origin }: Chunk): JsonRecord {
	const { choices } = recordOf(origin?.json);
	return recordOf(asList(choices)[0]);
}

/** The delta of that choice. */
export function deltaOf(chunk: Chunk): JsonRecord {
	return recordOf(choiceOf(chunk).delta);
}

/** The event, if it is a JSON object. */
export function jsonOf({ origin }: Chunk): JsonRecord | undefined {
	return isRecord(origin?.json) ? origin.json : undefined;
}
