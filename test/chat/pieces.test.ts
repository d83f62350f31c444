import { inPieces } from '../../lib/chat/pieces';
import { delay } from '../support/node';

async function* tokens(count: number, everyMs: number, left?: AbortSignal): AsyncGenerator<string, string> {
	for (let i = 0; i < count && left?.aborted !== true; i++) {
		yield `${i} `;
		if (everyMs > 0) await delay(everyMs);
	}
	return 'end';
}

async function collect(source: AsyncGenerator<string, string>, intervalMs: number) {
	const pieces: string[] = [];
	const generator = inPieces(source, intervalMs, new AbortController());
	let next = await generator.next();
	for (; !next.done; next = await generator.next()) pieces.push(next.value);
	return { pieces, result: next.value };
}

describe('text in pieces', () => {
	it('loses nothing and returns what the source returns', async () => {
		const { pieces, result } = await collect(tokens(200, 0), 5);
		expect(pieces.join('')).toBe(Array.from({ length: 200 }, (_, i) => `${i} `).join(''));
		expect(result).toBe('end');
	});

	it('gives the first token at once and joins the ones that follow closely', async () => {
		const { pieces } = await collect(tokens(20, 2), 300);
		expect(pieces[0]).toBe('0 ');
		expect(pieces).toHaveLength(2);
	});

	it('gives slow tokens one by one', async () => {
		const { pieces } = await collect(tokens(5, 25), 1);
		expect(pieces).toEqual(['0 ', '1 ', '2 ', '3 ', '4 ']);
	});

	it('hands an error on after the text that came before it', async () => {
		async function* failing(): AsyncGenerator<string, string> {
			yield 'a';
			yield 'b';
			await delay(1);
			return await Promise.reject(new Error('broken'));
		}
		const generator = inPieces(failing(), 300, new AbortController());
		const pieces: string[] = [];
		const read = async () => {
			for await (const piece of generator) pieces.push(piece);
		};
		await expect(read()).rejects.toThrow('broken');
		expect(pieces.join('')).toBe('ab');
	});

	it('tells the source when the reader leaves', async () => {
		const left = new AbortController();
		for await (const piece of inPieces(tokens(1000, 1, left.signal), 1, left)) {
			expect(piece).toBe('0 ');
			break;
		}
		expect(left.signal.aborted).toBe(true);
	});
});
