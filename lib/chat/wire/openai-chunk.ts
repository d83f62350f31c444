import type { ServerSentEvent } from '../../http/sse';
import { kindOfFingerprint } from '../../servers/kinds';
import { exactJson } from '../../json';
import { isRecord, type JsonRecord, nonEmptyText, recordOf, text } from '../../values';
import type { ChunkOrigin, WireChunk } from '../types';
import { openAiUsage, timingsOf } from './counts';
import { reasonIn } from './finish-reason';
import { toolCallsOf } from './openai-tool-calls';

type Path = readonly string[];
const CHOICE: Path = ['choices', '0'];
const DELTA: Path = [...CHOICE, 'delta'];

/** Where each field of a chunk stands, and how it is read. Readers return undefined for a field that is not there. */
const FIELDS: { [Name in keyof WireChunk]?: [Path, (value: unknown) => WireChunk[Name]] } = {
	text: [[...DELTA, 'content'], text],
	reasoning: [[...DELTA, 'reasoning_content'], nonEmptyText],
	toolCalls: [DELTA, (delta) => nonEmptyList(toolCallsOf(recordOf(delta), false))],
	finishReason: [[...CHOICE, 'finish_reason'], reasonIn],
	sendsReason: [[...CHOICE, 'finish_reason'], (reason) => (reason === null ? true : undefined)],
	isNamed: [['object'], (name) => (name === undefined ? undefined : true)],
	usage: [['usage'], openAiUsage],
	timings: [['timings'], ifRecord(timingsOf)],
	model: [['model'], text],
	madeBy: [['system_fingerprint'], kindOfFingerprint],
	progress: [['prompt_progress'], ifRecord(progressOf)],
};
const FIELD_LIST = Object.entries(FIELDS);

function ifRecord<T>(read: (record: JsonRecord) => T) {
	return (value: unknown) => (isRecord(value) ? read(value) : undefined);
}

export function decode({ event, data }: ServerSentEvent): WireChunk {
	const { value: json, large: largeNumbers } = exactJson(data);
	return chunkOf({ event, data: data.trim(), json, largeNumbers });
}

/** The documented fields of an event. */
export function chunkOf(origin: ChunkOrigin): WireChunk {
	const chunk: JsonRecord = { origin };
	for (const [name, [path, read]] of FIELD_LIST) {
		const value = read(valueAt(origin.json, path));
		if (value !== undefined) chunk[name] = value;
	}
	const { largeNumbers = [] } = origin;
	if (largeNumbers.length > 0 && chunk.toolCalls !== undefined) chunk.largeNumbers = largeNumbers;
	return chunk;
}

function valueAt(json: unknown, path: Path): unknown {
	let value = json;
	for (const key of path) {
		if (typeof value !== 'object' || value === null) return undefined;
		value = (value as JsonRecord)[key];
	}
	return value;
}

function nonEmptyList<T>(list: T[]): T[] | undefined {
	return list.length === 0 ? undefined : list;
}

/** Progress from 0 to 1. `processed` includes cached tokens (docs/protocols/llama-server.md 3.3). */
function progressOf({ total, cache, processed }: JsonRecord): number {
	if (typeof total !== 'number' || typeof processed !== 'number') return 0;
	const cached = typeof cache === 'number' ? cache : 0;
	return total > cached ? (processed - cached) / (total - cached) : 1;
}
