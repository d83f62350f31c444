import { streamText } from '../../../lib/langchain/local-chat-model';
import { setTimeout as delay } from 'node:timers/promises';

/** Pushes tokens one after the other. */
const tokens =
	(count: number, everyMs: number) =>
	async (onDelta: (delta: string) => void, abandoned: AbortSignal): Promise<string> => {
		for (let at = 0; at < count && !abandoned.aborted; at++) {
			onDelta(`${at} `);
			if (everyMs > 0) await delay(everyMs);
		}
		return 'end';
	};

const asChunk = (text: string) => [text];

/** A source that emits the next tokens only after `allow()`. */
function stepwise(steps: string[][]) {
	let allow = () => {};
	const work = async (onDelta: (delta: string) => void) => {
		for (const [index, step] of steps.entries()) {
			if (index > 0) await new Promise<void>((resolve) => (allow = resolve));
			step.forEach(onDelta);
		}
		return 'end';
	};
	return { work, allow: () => allow() };
}

describe('streamText', () => {
	it('yields all text and returns the result of the source', async () => {
		const deltas: string[] = [];
		const generator = streamText(tokens(200, 0), asChunk);
		let next = await generator.next();
		for (; !next.done; next = await generator.next()) deltas.push(next.value);
		expect(deltas.join('')).toBe(Array.from({ length: 200 }, (_, at) => `${at} `).join(''));
		expect(next.value).toBe('end');
	});

	it('yields the first token immediately and joins later ones', async () => {
		const { work, allow } = stepwise([['a'], ['b', 'c', 'd']]);
		const deltas = streamText(work, asChunk);
		expect(await deltas.next()).toEqual({ done: false, value: 'a' });
		allow();
		expect(await deltas.next()).toEqual({ done: false, value: 'bcd' });
		expect(await deltas.next()).toEqual({ done: true, value: 'end' });
	});

	describe('the pause between two deltas', () => {
		/** In milliseconds. */
		const measurePause = async () => {
			const { work, allow } = stepwise([['a'], ['b'], ['c']]);
			const deltas = streamText(work, asChunk);
			await deltas.next();
			allow();
			jest.useFakeTimers();
			let second: unknown;
			const reading = deltas.next().then(({ value }) => (second = value));
			let ms = 0;
			for (; second === undefined && ms < 1000; ms++) await jest.advanceTimersByTimeAsync(1);
			jest.useRealTimers();
			await reading;
			allow();
			await deltas.return('left');
			return ms;
		};

		it('is 40 ms', async () => {
			expect(await measurePause()).toBe(40);
		});

		it('is longer while many streams are open, whether they end, fail or are left', async () => {
			const endings = [
				async () => await Promise.resolve('end'),
				async () => await Promise.reject(new Error('broken')),
				async () => await new Promise<string>(() => {}),
			];
			const open = Array.from({ length: 39 }, (_stream, at) => {
				const deltas = streamText(async (onDelta) => {
					onDelta('a');
					return await endings[at % 3]!();
				}, asChunk);
				return deltas;
			});
			await Promise.all(open.map(async (deltas) => await deltas.next()));
			expect(await measurePause()).toBe(100);
			const ends = open.map(async (deltas, at) =>
				at % 3 === 2 ? await deltas.return('left') : await deltas.next().catch(() => {}),
			);
			await Promise.all(ends);
			expect(await measurePause()).toBe(40);
		});
	});

	it('throws an error after the text that arrived before it', async () => {
		const failing = async (onDelta: (delta: string) => void): Promise<string> => {
			onDelta('a');
			onDelta('b');
			await delay(1);
			return await Promise.reject(new Error('broken'));
		};
		const generator = streamText(failing, asChunk);
		const deltas: string[] = [];
		const read = async () => {
			for await (const delta of generator) deltas.push(delta);
		};
		await expect(read()).rejects.toThrow('broken');
		expect(deltas.join('')).toBe('ab');
	});

	it('aborts the work when the reader stops', async () => {
		const signals: AbortSignal[] = [];
		const generate = async (onDelta: (delta: string) => void, abandoned: AbortSignal) => {
			signals.push(abandoned);
			return await tokens(1000, 1)(onDelta, abandoned);
		};
		for await (const delta of streamText(generate, asChunk)) {
			expect(delta).toBe('0 ');
			break;
		}
		expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
	});
});
