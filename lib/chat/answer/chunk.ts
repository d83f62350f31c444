import type { Family } from '../text-formats/families';
import type { ReadCall, UnrunCall } from '../text-formats/text-calls';
import type { WireChunk } from '../types';
import type { AssembledCall, CallFailure } from './tool-call-assembly';

/** A piece of an answer on its way through the chain. Each transform reads some fields and writes others. */
export interface Chunk extends WireChunk {
	/** Its calls repeat those of earlier chunks. */
	repeatsCalls?: true;
	/** Load time of the model in milliseconds. */
	loadMs?: number;
	/** Content arrived: only white space, or more. */
	arrived?: 'space' | 'words';
	/** That content arrived after a finish reason. */
	isAfterReason?: true;
	/** Whether the model thinks, as far as this chunk tells. */
	thinks?: boolean;
	/** All thinking so far belongs to the text of this chunk. */
	isLiteral?: true;
	/** Calls have begun: whether all of them are whole. */
	callsAreWhole?: boolean;
	/** The calls of the server, and the first one that cannot be used. */
	calls?: AssembledCall[];
	failedCall?: CallFailure;
	/** For the user. */
	notes?: string[];
	/** Calls that were read from the text, and their format. */
	callsInText?: { calls: ReadCall[]; format: Family };
	/** A possible call that was not run. */
	unrunCall?: UnrunCall;
	/** The tool whose call was cut and arrived as text, and that text. */
	cutCall?: string;
	hiddenText?: string;
}

/** How the stream of an answer ended: with its end marker, without one, or with an error. */
export type StreamEnd = 'done' | 'closed' | 'failed';

/** One step of the chain: what goes in comes out again, changed, split or later. */
export interface Transform {
	push(chunk: Chunk): Chunk[];
	/** Called once; returns what was held back. n8n can answer others between two chunks. */
	end(end: StreamEnd): Iterable<Chunk>;
}

/** Runs work that yields between its steps. An empty chunk for each lets n8n answer others. */
export function* withPauses<R>(work: Generator<void, R>): Generator<Chunk, R> {
	let step = work.next();
	for (; step.done !== true; step = work.next()) yield {};
	return step.value;
}

/** A transform that looks at each chunk by itself. */
export function eachChunk(change: (chunk: Chunk) => Chunk): Transform {
	return { push: (chunk) => [change(chunk)], end: () => [] };
}

/** Changes texts, and may hold some of them back. */
export interface TextChange {
	push(text: string): string;
	end(): string;
}

/** A transform of the text and of the thinking, each by itself. */
export function eachText(changes: { text?: TextChange; reasoning?: TextChange }): Transform {
	const names = (['text', 'reasoning'] as const).filter((name) => changes[name] !== undefined);
	return {
		push(chunk) {
			let changed = chunk;
			for (const name of names) {
				const { [name]: before } = chunk;
				if (before === undefined) continue;
				const after = changes[name]!.push(before);
				if (after !== before) changed = { ...changed, [name]: after };
			}
			return [changed];
		},
		end() {
			const last: Chunk = {};
			for (const name of names) last[name] = changes[name]!.end();
			return [last];
		},
	};
}
