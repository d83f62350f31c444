import { throttlePieces } from '../../../lib/langchain/pieces';
import { delay, setTimeout } from '../../support/node';

async function* tokens(
	count: number,
	everyMs: number,
	left?: AbortSignal,
): AsyncGenerator<string, string> {
	for (let i = 0; i < count && left?.aborted !== true; i++) {
		yield `${i} `;
		if (everyMs > 0) await delay(everyMs);
	}
	return 'end';
}

async function collect(source: AsyncGenerator<string, string>, intervalMs: number) {
	const pieces: string[] = [];
	const generator = throttlePieces(source, () => intervalMs, new AbortController());
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

	/** A source that gives the next tokens only when the reader has got the piece before. */
	function stepwise(steps: string[][]) {
		let allow = () => {};
		async function* source(): AsyncGenerator<string, string> {
			for (const [index, step] of steps.entries()) {
				if (index > 0) await new Promise<void>((resolve) => (allow = resolve));
				yield* step;
			}
			return 'end';
		}
		return { source: source(), allow: () => allow() };
	}

	it('gives the first token at once and joins what came until the next piece', async () => {
		const { source, allow } = stepwise([['a'], ['b', 'c', 'd']]);
		const pieces = throttlePieces(source, () => 50, new AbortController());
		expect(await pieces.next()).toEqual({ done: false, value: 'a' });
		allow();
		expect(await pieces.next()).toEqual({ done: false, value: 'bcd' });
		expect(await pieces.next()).toEqual({ done: true, value: 'end' });
	});

	it('gives slow tokens one by one', async () => {
		const { source, allow } = stepwise([['a'], ['b'], ['c']]);
		const pieces: string[] = [];
		for await (const piece of throttlePieces(source, () => 1, new AbortController())) {
			pieces.push(piece);
			setTimeout(allow, 20);
		}
		expect(pieces).toEqual(['a', 'b', 'c']);
	});

	it('waits between two pieces', async () => {
		const { source, allow } = stepwise([['a'], ['b'], ['c']]);
		const pieces = throttlePieces(source, () => 60, new AbortController());
		await pieces.next();
		allow();
		jest.useFakeTimers();
		let second: unknown;
		const reading = pieces.next().then(({ value }) => (second = value));
		await jest.advanceTimersByTimeAsync(59);
		expect(second).toBeUndefined();
		await jest.advanceTimersByTimeAsync(1);
		jest.useRealTimers();
		await reading;
		expect(second).toBe('b');
		allow();
		await pieces.next();
	});

	it('throws an error after the text that came before it', async () => {
		async function* failing(): AsyncGenerator<string, string> {
			yield 'a';
			yield 'b';
			await delay(1);
			return await Promise.reject(new Error('broken'));
		}
		const generator = throttlePieces(failing(), () => 300, new AbortController());
		const pieces: string[] = [];
		const read = async () => {
			for await (const piece of generator) pieces.push(piece);
		};
		await expect(read()).rejects.toThrow('broken');
		expect(pieces.join('')).toBe('ab');
	});

	it('tells the source when the reader leaves', async () => {
		const left = new AbortController();
		for await (const piece of throttlePieces(tokens(1000, 1, left.signal), () => 1, left)) {
			expect(piece).toBe('0 ');
			break;
		}
		expect(left.signal.aborted).toBe(true);
	});
});
