import fc from 'fast-check';

import { ollamaProtocol } from '../../../../lib/chat/wire/ollama';
import { openAiProtocol } from '../../../../lib/chat/wire/openai';
import { sameFrameDecoder } from '../../../../lib/chat/wire/same-frame';
import type { ServerSentEvent } from '../../../../lib/http/sse';

const chunk = (delta: object, more: object = {}) => ({
	choices: [{ finish_reason: null, index: 0, delta }],
	created: 1,
	id: 'chatcmpl-1',
	model: 'm',
	object: 'chat.completion.chunk',
	...more,
});
/** As Python's json.dumps writes it: with spaces, and everything that is not ASCII escaped. */
const inPython = (value: unknown) =>
	JSON.stringify(value, null, 1)
		.replace(/\n\s*/g, ' ')
		.replace(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What both decoders say of a stream, and how often the real one was asked. */
function compare(events: ServerSentEvent[], { decode } = openAiProtocol) {
	const asked = jest.fn(decode);
	const quick = sameFrameDecoder(asked);
	const outcome = (read: typeof decode, event: ServerSentEvent) => {
		try {
			return read(event);
		} catch (error) {
			return String(error);
		}
	};
	for (const event of events) expect(outcome(quick, event)).toEqual(outcome(decode, event));
	return asked.mock.calls.length;
}
const events = (chunks: object[], write: (value: unknown) => string = JSON.stringify): ServerSentEvent[] =>
	chunks.map((one) => ({ data: write(one) }));

describe('events that differ in their text alone', () => {
	const words = 'The quick "brown" fox\n jumps über {the} lazy \\ 🐕 . '.split(/(?<= )/);

	test.each([
		['as most servers write it', JSON.stringify],
		['as Python writes it', inPython],
	])('are parsed once: %s', (_name, write) => {
		// The first one, and the frame of it with another text.
		expect(
			compare(
				events(
					words.map((content) => chunk({ content })),
					write,
				),
			),
		).toBe(2);
		expect(
			compare(
				events(
					words.map((word) => chunk({ reasoning_content: word })),
					write,
				),
			),
		).toBe(2);
	});

	test('thinking, text, calls, the end and counts are told from each other', () => {
		const stream = [
			chunk({ role: 'assistant', content: null }),
			...words.map((word) => chunk({ reasoning_content: word })),
			...words.map((content) => chunk({ content })),
			chunk({ tool_calls: [{ index: 0, id: '1', function: { name: 'f', arguments: '{"content":"x"}' } }] }),
			chunk({ content: 'end' }, { choices: [{ finish_reason: 'stop', index: 0, delta: { content: 'end' } }] }),
			{ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
		];
		expect(compare([...events(stream), { data: '[DONE]' }])).toBeLessThan(14);
	});

	test('a text that ends the quotation is no text of the frame', () => {
		const { data } = events([chunk({ content: 'a' })])[0]!;
		const injected = data.replace('"a"', '"a"},"finish_reason":"stop","x":{"y":"b"');
		compare([{ data }, { data }, { data: injected }, { data: data.replace('"a"', '"a\\"') }]);
	});

	test('an event of another name is another event', () => {
		const [{ data }] = events([chunk({ content: 'a' })]) as [ServerSentEvent];
		compare([{ data }, { data }, { event: 'ping', data }, { event: 'error', data }, { data }]);
	});

	test('where the text stands a second time, nothing is taken as known', () => {
		const twice = (text: string) => chunk({ content: text, refusal: text });
		expect(compare(events(['a', 'b', 'c'].map(twice)))).toBeGreaterThan(3);
	});

	test('a server whose events always differ costs no more after a few', () => {
		const stream = Array.from({ length: 50 }, (_, created) => chunk({ content: 'x' }, { created }));
		expect(compare(events(stream))).toBe(50 + 8);
		const ollama = stream.map((_one, index) => ({
			model: 'm',
			created_at: `2026-01-01T00:00:0${index}Z`,
			message: { role: 'assistant', content: 'x' },
			done: false,
		}));
		compare(events(ollama), ollamaProtocol);
	});

	test('whatever comes, the answer is that of the decoder', () => {
		const text = fc.oneof(
			fc.string({ unit: 'binary', maxLength: 6 }),
			fc.constantFrom('"', '\\', '', '\\"}', '\u2028', '\ud83d'),
		);
		const delta = fc.oneof(
			text.map((content) => ({ content })),
			text.map((content) => ({ role: 'assistant', content })),
			text.map((reasoning) => ({ reasoning, content: null })),
			fc.tuple(text, text).map(([content, refusal]) => ({ content, refusal })),
			fc.tuple(text, text).map(([content, reasoning_content]) => ({ content, reasoning_content })),
		);
		const frame = fc.constantFrom({}, { created: 2 }, { usage: null }, { error: null });
		fc.assert(
			fc.property(fc.array(fc.tuple(delta, frame), { maxLength: 30 }), fc.boolean(), (stream, python) => {
				const chunks = stream.map(([one, more]) => chunk(one, more));
				compare(events(chunks, python ? inPython : JSON.stringify));
			}),
		);
	});
});
