import * as fc from 'fast-check';

import { ResumedAnswer } from '../../../lib/http/resumed-answer';
import type { UnreadAnswer } from '../../../lib/http/types';
import { delay } from '../../support/node';
import { examples } from '../../support/properties';

jest.mock('../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../support/skipped-pauses'),
);

const event = (data: string) => `data: ${data}\n\n`;
const FIRST = event('{"delta":{"role":"assistant"},"id":"chatcmpl-1"}');
const DONE = event('[DONE]');

/** A body in pieces of `size` bytes, which breaks after `most` of them, or ends there as if it was whole. */
function answerOf(whole: Buffer, size: number, most = Infinity, ends = false): UnreadAnswer {
	async function* body() {
		const sent = whole.subarray(0, most);
		for (let at = 0; at < sent.length; at += size) yield sent.subarray(at, at + size);
		if (most < whole.length && !ends) throw new Error('broken');
	}
	return {
		status: 200,
		headers: { 'content-type': 'text/event-stream' },
		url: '',
		body: body(),
		close: () => {},
	};
}

/** What is read of a body that breaks at these places, from a server that obeys `from` or not. */
async function readOf(
	whole: Buffer,
	cuts: number[],
	size: number,
	dropsFrom: boolean,
	ends = false,
): Promise<string> {
	const places = [...cuts];
	const resumed = new ResumedAnswer(answerOf(whole, size, places.shift(), ends), {
		attach: async (from) => {
			const begin = dropsFrom ? 0 : from;
			const cut = places.shift();
			return answerOf(
				whole.subarray(begin),
				size,
				cut === undefined ? undefined : Math.max(0, cut - begin),
				ends,
			);
		},
		cancel: () => {},
		signal: new AbortController().signal,
	});
	const pieces: Uint8Array[] = [];
	for await (const piece of resumed.body) pieces.push(piece);
	return Buffer.concat(pieces).toString();
}

test('at every place and in every split, with and without a gateway that drops `from`', async () => {
	const text = FIRST + event('{"content":"ä"}') + event('{"content":"ä"}') + DONE;
	const whole = Buffer.from(text);
	for (let cut = 0; cut < whole.length; cut++)
		for (const size of [1, 2, 7, 64, 1000])
			for (const dropsFrom of [false, true])
				expect({ cut, size, dropsFrom, text: await readOf(whole, [cut], size, dropsFrom) }).toEqual(
					{
						cut,
						size,
						dropsFrom,
						text,
					},
				);
});

test('with the pings that llama-server sends each second before the first event', async () => {
	const ping = ':\n\n';
	const text =
		ping.repeat(6) + FIRST + event('{"content":"a"}') + ping + event('{"content":"b"}') + DONE;
	const whole = Buffer.from(text);
	for (let cut = 0; cut < whole.length; cut++)
		for (const further of [1, 2, 3, 8, 27, 30, 60])
			for (const dropsFrom of [false, true]) {
				const cuts = [cut, Math.min(cut + further, whole.length - 1)];
				expect({ cuts, dropsFrom, text: await readOf(whole, cuts, 5, dropsFrom) }).toEqual({
					cuts,
					dropsFrom,
					text,
				});
			}
});

test('however often it breaks, also before the place where it broke the last time', async () => {
	const content = fc.constantFrom(
		event('{"content":"a"}'),
		event(`{"content":"${'long '.repeat(300)}"}`),
		': ping\n\n',
	);
	await fc.assert(
		fc.asyncProperty(
			fc.array(content, { maxLength: 8 }),
			fc.array(fc.nat(6000), { maxLength: 5 }),
			fc.integer({ min: 1, max: 3000 }),
			fc.boolean(),
			async (events, cuts, size, dropsFrom) => {
				const text = FIRST + events.join('') + DONE;
				expect(await readOf(Buffer.from(text), cuts, size, dropsFrom)).toBe(text);
			},
		),
		examples(300),
	);
});

test('a proxy that ends the body while nothing but pings comes does not end the answer', async () => {
	const text =
		FIRST + event('{"content":"a"}') + ':\n\n'.repeat(9) + event('{"content":"b"}') + DONE;
	const begin = text.indexOf(':\n\n');
	for (const dropsFrom of [false, true])
		for (const size of [1, 5, 1000]) {
			const read = await readOf(
				Buffer.from(text),
				[begin + 3, begin + 9, begin + 20],
				size,
				dropsFrom,
				true,
			);
			expect({ dropsFrom, size, read }).toEqual({ dropsFrom, size, read: text });
		}
});

test('with line ends of two characters and without an end marker, the last line end comes, too', async () => {
	const text = (FIRST + event('{"error":"x"}')).replaceAll('\n', '\r\n');
	const whole = Buffer.from(text);
	for (let cut = 0; cut < whole.length; cut++)
		for (const dropsFrom of [false, true])
			expect({ cut, text: await readOf(whole, [cut], 5, dropsFrom) }).toEqual({ cut, text });
});

test('after it was closed, at whatever moment, it is not resumed, and no answer stays open', async () => {
	const whole = Buffer.from(FIRST + event('{"content":"a"}').repeat(20) + DONE);
	await fc.assert(
		fc.asyncProperty(fc.nat(whole.length), fc.nat(5), fc.nat(12), async (cut, waits, closesAt) => {
			const open = new Set<object>();
			const answer = (bytes: Buffer, most?: number): UnreadAnswer => {
				const sent = answerOf(bytes, 9, most);
				const body = async function* () {
					for await (const piece of sent.body) {
						await delay(1);
						if (!open.has(sent)) throw new Error('closed');
						yield piece;
					}
				};
				open.add(sent);
				return { ...sent, body: body(), close: () => void open.delete(sent) };
			};
			let isClosed = false;
			let late = 0;
			const resumed = new ResumedAnswer(answer(whole, cut), {
				attach: async (from) => {
					if (isClosed) late++;
					open.clear();
					await delay(waits);
					return answer(whole.subarray(from));
				},
				cancel: () => {},
				signal: new AbortController().signal,
			});
			const reading = (async () => {
				for await (const piece of resumed.body) expect(piece.length).toBeGreaterThan(0);
			})().catch(() => {});
			await delay(closesAt);
			isClosed = true;
			resumed.close();
			await reading;
			expect({ late, open: open.size }).toEqual({ late: 0, open: 0 });
		}),
		examples(60),
	);
});
