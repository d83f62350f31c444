import { parseJson } from '../../../json';
import { asList, isFilled, isRecord } from '../../../values';
import type { ChunkOrigin } from '../../types';
import { chunkOf } from '../../wire/openai-chunk';
import { eachChunk } from '../chunk';

/** Numbers that are no JSON, as written by Python's json.dumps (log probabilities). */
const NO_NUMBER = /([:,[]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g;

/** Events that are encoded twice, stand in a list or in an envelope of a gateway, or have numbers that are no JSON. */
export const envelopes = () =>
	eachChunk((chunk) => {
		if (chunk.origin === undefined) return chunk;
		const json = unwrapped(chunk.origin);
		return json === chunk.origin.json ? chunk : chunkOf({ ...chunk.origin, json });
	});

function unwrapped({ json, data }: ChunkOrigin): unknown {
	if (json === undefined) return unwrappedOnce(parseJson(data.replace(NO_NUMBER, '$1null')));
	return unwrappedOnce(json);
}

function unwrappedOnce(json: unknown): unknown {
	const inner = typeof json === 'string' ? parseJson(json) : json;
	const [first] = asList(inner);
	const object = isRecord(first) && isFilled(first.choices) ? first : inner;
	if (!isRecord(object) || object.choices !== undefined) return object;
	const { data } = object;
	return isRecord(data) && isFilled(data.choices) ? data : object;
}
