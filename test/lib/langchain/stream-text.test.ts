import type { ChatRequest } from '../../../lib/chat/types';
import { streamText } from '../../../lib/langchain/local-chat-model';
import { setTimeout as delay } from 'node:timers/promises';

/** Pushes tokens one after the other. */
const tokens =
	(count: number, everyMs: number) =>
	async ({ signal }: ChatRequest, onDelta: (delta: string) => void): Promise<string> => {
		for (let at = 0; at < count && signal?.aborted !== true; at++) {
			onDelta(`${at} `);
			if (everyMs > 0) await delay(everyMs);
		}
		return 'end';
	};

/** A source that emits the next tokens only after `allow()`. */
function stepwise(steps: string[][]) {
	let allow = () => {};
	const work = async (_chatRequest: ChatRequest, onDelta: (delta: string) => void) => {
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
		const generator = streamText(tokens(200, 0), { messages: [] });
		let next = await generator.next();
		for (; !next.done; next = await generator.next()) deltas.push(next.value);
		expect(deltas.join('')).toBe(Array.from({ length: 200 }, (_, at) => `${at} `).join(''));
		expect(next.value).toBe('end');
	});

	it('yields the first token immediately and joins later ones', async () => {
		const { work, allow } = stepwise([['a'], ['b', 'c', 'd']]);
		const deltas = streamText(work, { messages: [] });
		expect(await deltas.next()).toEqual({ done: false, value: 'a' });
		allow();
		expect(await deltas.next()).toEqual({ done: false, value: 'bcd' });
		expect(await deltas.next()).toEqual({ done: true, value: 'end' });
	});

	describe('the pause between two deltas', () => {
		/** In milliseconds. */
		const measurePause = async () => {
			const { work, allow } = stepwise([['a'], ['b'], ['c']]);
			const deltas = streamText(work, { messages: [] });
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
				const deltas = streamText(
					async (_chatRequest, onDelta) => {
						onDelta('a');
						return await endings[at % 3]!();
					},
					{ messages: [] },
				);
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
		const failing = async (
			_chatRequest: ChatRequest,
			onDelta: (delta: string) => void,
		): Promise<string> => {
			onDelta('a');
			onDelta('b');
			await delay(1);
			return await Promise.reject(new Error('broken'));
		};
		const generator = streamText(failing, { messages: [] });
		const deltas: string[] = [];
		const read = async () => {
			for await (const delta of generator) deltas.push(delta);
		};
		await expect(read()).rejects.toThrow('broken');
		expect(deltas.join('')).toBe('ab');
	});

	it('aborts the work when the reader stops', async () => {
		const { signal } = new AbortController();
		const signals: Array<AbortSignal | undefined> = [];
		const generate = async (chatRequest: ChatRequest, onDelta: (delta: string) => void) => {
			signals.push(chatRequest.signal);
			return await tokens(1000, 1)(chatRequest, onDelta);
		};
		for await (const delta of streamText(generate, { messages: [], signal })) {
			expect(delta).toBe('0 ');
			break;
		}
		expect(signals.map((sent) => sent?.aborted)).toEqual([true]);
		expect(signal.aborted).toBe(false);
	});
});
