import { streamText } from '../../../lib/langchain/local-chat-model';
import { delay } from '../../support/node-builtins';

/** Pushes tokens one after the other. */
const tokens =
	(count: number, everyMs: number, left?: AbortSignal) =>
	async (show: (piece: string) => void): Promise<string> => {
		for (let at = 0; at < count && left?.aborted !== true; at++) {
			show(`${at} `);
			if (everyMs > 0) await delay(everyMs);
		}
		return 'end';
	};

/** A source that gives the next tokens only when it is allowed. */
function stepwise(steps: string[][]) {
	let allow = () => {};
	const work = async (show: (piece: string) => void) => {
		for (const [index, step] of steps.entries()) {
			if (index > 0) await new Promise<void>((resolve) => (allow = resolve));
			step.forEach(show);
		}
		return 'end';
	};
	return { work, allow: () => allow() };
}

describe('text in pieces', () => {
	it('loses nothing and returns what the work returns', async () => {
		const pieces: string[] = [];
		const generator = streamText(tokens(200, 0), new AbortController());
		let next = await generator.next();
		for (; !next.done; next = await generator.next()) pieces.push(next.value);
		expect(pieces.join('')).toBe(Array.from({ length: 200 }, (_, at) => `${at} `).join(''));
		expect(next.value).toBe('end');
	});

	it('gives the first token at once and joins what came until the next piece', async () => {
		const { work, allow } = stepwise([['a'], ['b', 'c', 'd']]);
		const pieces = streamText(work, new AbortController());
		expect(await pieces.next()).toEqual({ done: false, value: 'a' });
		allow();
		expect(await pieces.next()).toEqual({ done: false, value: 'bcd' });
		expect(await pieces.next()).toEqual({ done: true, value: 'end' });
	});

	it('waits between two pieces', async () => {
		const { work, allow } = stepwise([['a'], ['b'], ['c']]);
		const pieces = streamText(work, new AbortController());
		await pieces.next();
		allow();
		jest.useFakeTimers();
		let second: unknown;
		const reading = pieces.next().then(({ value }) => (second = value));
		await jest.advanceTimersByTimeAsync(39);
		expect(second).toBeUndefined();
		await jest.advanceTimersByTimeAsync(1);
		jest.useRealTimers();
		await reading;
		expect(second).toBe('b');
		allow();
		await pieces.next();
	});

	it('throws an error after the text that came before it', async () => {
		const failing = async (show: (piece: string) => void): Promise<string> => {
			show('a');
			show('b');
			await delay(1);
			return await Promise.reject(new Error('broken'));
		};
		const generator = streamText(failing, new AbortController());
		const pieces: string[] = [];
		const read = async () => {
			for await (const piece of generator) pieces.push(piece);
		};
		await expect(read()).rejects.toThrow('broken');
		expect(pieces.join('')).toBe('ab');
	});

	it('tells the work when the reader leaves', async () => {
		const left = new AbortController();
		for await (const piece of streamText(tokens(1000, 1, left.signal), left)) {
			expect(piece).toBe('0 ');
			break;
		}
		expect(left.signal.aborted).toBe(true);
	});
});
