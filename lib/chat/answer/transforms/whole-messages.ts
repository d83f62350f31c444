import { isRecord, type JsonRecord } from '../../../values';
import { chunkOf } from '../../wire/openai-chunk';
import { type Chunk, eachChunk } from '../chunk';
import { choiceOf } from './origin';

/** A whole message in place of a delta. Servers send both, one of them null or empty. */
export const wholeMessages = () =>
	eachChunk((chunk) => {
		const choice = choiceOf(chunk);
		const { message, delta } = choice;
		if (!isRecord(message) || (isRecord(delta) && hasValue(delta))) return chunk;
		return withMessage(chunk, choice, message);
	});

function withMessage(
	{ origin, choice: index }: Chunk,
	choice: JsonRecord,
	message: JsonRecord,
): Chunk {
	const json = { ...(origin!.json as object), choices: [{ ...choice, delta: message }] };
	const chunk: Chunk = { ...chunkOf({ ...origin!, json }), isMessage: true };
	if (index !== undefined) chunk.choice = index;
	if (chunk.toolCalls !== undefined) chunk.toolCalls = whole(chunk.toolCalls);
	return chunk;
}

export function whole(calls: NonNullable<Chunk['toolCalls']>): NonNullable<Chunk['toolCalls']> {
	return calls.map((call) => ({ ...call, complete: true }));
}

function hasValue(delta: JsonRecord): boolean {
	return Object.entries(delta).some(([key, value]) => key !== 'role' && !isEmpty(value));
}

function isEmpty(value: unknown): boolean {
	return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
