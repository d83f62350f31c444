/**
 * Response bodies that arrive in other pieces than the recording has: a network splits them anywhere, also within a
 * character. Bodies are split where the client receives them, since a socket would join pieces that are written at once.
 *
 *     type SplitBodies = typeof import('./support/split-bodies');
 *     jest.mock('../../lib/http/compressed-body', () => jest.requireActual<SplitBodies>('./support/split-bodies').compressedBody);
 */
import type * as compressedBodyModule from '../../../lib/http/compressed-body';

type CompressedBody = typeof compressedBodyModule;
type Bytes = AsyncIterable<Uint8Array>;

const LINE_FEED = 0x0a;

/** Where a body is split. `events`: after each line, so also between the events of a stream. */
export const SPLITS = ['as recorded', 'at each event'] as const;
/** Single bytes take most of the time: only each night. */
export const NIGHTLY_SPLITS = [...SPLITS, 'into single bytes'] as const;
export type Split = (typeof NIGHTLY_SPLITS)[number];

let current: Split = 'as recorded';

/** Splits all later bodies. */
export function splitBodies(split: Split): void {
	current = split;
}

/** The indexes after which the pieces of a chunk end. */
const ENDS: Record<Split, (chunk: Uint8Array) => number[]> = {
	'as recorded': ({ length }) => [length],
	'at each event': (chunk) => {
		const ends = [...chunk.keys()].filter((at) => chunk[at] === LINE_FEED).map((at) => at + 1);
		return [...new Set([...ends, chunk.length])];
	},
	'into single bytes': (chunk) => [...chunk.keys()].map((at) => at + 1),
};

async function* piecesOf(body: Bytes, split: Split): AsyncGenerator<Uint8Array> {
	for await (const chunk of body) {
		let from = 0;
		for (const end of ENDS[split](chunk)) {
			yield chunk.subarray(from, end);
			from = end;
		}
	}
}

const actual = jest.requireActual<CompressedBody>('../../../lib/http/compressed-body');

/** The module of the response bodies, with bodies in pieces. */
export const compressedBody: CompressedBody = {
	...actual,
	decompress: (...args) => {
		const body = actual.decompress(...args);
		return current === 'as recorded' ? body : piecesOf(body, current);
	},
};
