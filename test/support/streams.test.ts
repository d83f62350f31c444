import * as fc from 'fast-check';

import {
	anyCut,
	anyInterleaving,
	anySplit,
	asStream,
	oneBytePieces,
	everyCutInTwo,
	fixtureNames,
	httpFixture,
	splitBytes,
	sseData,
	sseJson,
	toSseBytes,
} from './streams';

const BYTES = Buffer.from('data: {"a":"🦙"}\n\ndata: [DONE]\n\n');

test('splitBytes keeps every byte, and ignores invalid and repeated offsets', () => {
	const pieces = splitBytes(BYTES, [5, 5, 0, -3, 9999, 13]);
	expect(pieces.map(({ length }) => length)).toEqual([5, 8, BYTES.length - 13]);
	expect(Buffer.concat(pieces).equals(BYTES)).toBe(true);
	expect(splitBytes(Buffer.alloc(0), [1])).toHaveLength(1);
});

test('oneBytePieces and everyCutInTwo', () => {
	expect(oneBytePieces(BYTES)).toHaveLength(BYTES.length);
	const pairs = [...everyCutInTwo(BYTES)];
	expect(pairs).toHaveLength(BYTES.length - 1);
	for (const pair of pairs) expect(Buffer.concat(pair).equals(BYTES)).toBe(true);
});

test('anySplit returns the same bytes in chunks that are never empty', () => {
	fc.assert(
		fc.property(anySplit(BYTES), (pieces) => {
			expect(pieces.every(({ length }) => length > 0)).toBe(true);
			expect(Buffer.concat(pieces).equals(BYTES)).toBe(true);
		}),
	);
});

test('anyCut returns a beginning', () => {
	fc.assert(
		fc.property(anyCut(BYTES), ({ at, pieces }) => {
			expect(Buffer.concat(pieces).equals(BYTES.subarray(0, at))).toBe(true);
		}),
	);
});

test('anyInterleaving keeps the order of each sequence', () => {
	fc.assert(
		fc.property(anyInterleaving(['a1', 'a2', 'a3'], ['b1', 'b2']), (merged) => {
			expect(merged).toHaveLength(5);
			expect(merged.filter((item) => item.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
			expect(merged.filter((item) => item.startsWith('b'))).toEqual(['b1', 'b2']);
		}),
	);
});

test('wire writes events that sseData and sseJson parse', () => {
	expect(toSseBytes([{ a: '🦙' }, '[DONE]']).equals(BYTES)).toBe(true);
	expect(sseData(BYTES)).toEqual(['{"a":"🦙"}', '[DONE]']);
	expect(sseJson(BYTES)).toEqual([{ a: '🦙' }]);
});

test('asStream delivers one chunk after another', async () => {
	const seen: number[] = [];
	for await (const piece of asStream(splitBytes(BYTES, [3]))) seen.push(piece.length);
	expect(seen).toEqual([3, BYTES.length - 3]);
});

test('a recorded response is parsed, chunk by chunk', () => {
	const recorded = httpFixture('llama-server-v0.5.0/chat-stream-empty.http');
	expect([recorded.status, recorded.reason]).toEqual([200, 'OK']);
	expect(recorded.headers[0]).toEqual(['Server', 'llama.cpp']);
	expect(recorded.chunks).toHaveLength(3);
	expect(recorded.chunks[2]!.toString()).toBe('data: [DONE]\n\n');
	expect(Buffer.concat(recorded.chunks).equals(recorded.body)).toBe(true);
	const plain = httpFixture('llama-server-v0.5.0/health.http');
	expect(plain.chunks.map(String)).toEqual(['{"status":"ok"}']);
	expect(fixtureNames('llama-server-v0.5.0', '.http')).toContain('llama-server-v0.5.0/health.http');
});
