import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import type { ReaderOptions, ReceiveOptions } from '../../../../lib/chat/read/completion-reader';
import { ServerError } from '../../../../lib/errors/server-error';
import { BodyTooLargeError } from '../../../../lib/http/body-limits';
import type { TextAndReasoning } from '../../../../lib/text/reasoning';
import type { HttpResponse, StreamPart } from '../../../../lib/http/types';
import { createQuotationCheck } from '../../../../lib/text/calls/quotations';
import { clearImmediate, setImmediate } from 'node:timers';

/** What a response is and does, beyond its events. */
interface ResponseDetails {
	/** Thrown after the events. */
	error?: Error;
	secrets?: string[];
	/** Type of its parts. Default: `event`. */
	type?: StreamPart['type'];
	/** Lines after the events. */
	lines?: string[];
	/** Receives what is done with the response, in order. */
	log?: string[];
}

/** A response whose events arrive in these batches. */
function responseOf(
	batches: string[][],
	{ error, secrets, type = 'event', lines = [], log = [] }: ResponseDetails = {},
): HttpResponse {
	return {
		parts: async function* () {
			for (const [at, batch] of batches.entries()) {
				log.push(`batch ${at}`);
				yield await Promise.resolve(batch.map((data) => ({ type, text: data })));
			}
			if (lines.length > 0) yield lines.map((line) => ({ type: 'line', text: line }));
			if (error) throw error;
			log.push('end');
		},
		errorContext: { secrets },
		markContent: () => log.push('markContent'),
		expectEnd: () => log.push('expectEnd'),
	} as unknown as HttpResponse;
}

/** The completion of a response, also of one that cannot be used. */
const receive = async (
	response: HttpResponse,
	options: ReceiveOptions = {},
	readerOptions: ReaderOptions = {},
) => {
	const { secrets } = response.errorContext;
	const reader = new CompletionReader({ ...readerOptions, secrets });
	return await reader.receive(response, { findError: () => undefined, ...options });
};

/** An event with a delta. */
const event = (delta: object, finishReason: string | null = null) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finishReason }] });

const text = (content: string) => ({ content });
const thinking = (content: string) => ({ reasoning_content: content });
const call = (content: string) => ({
	tool_calls: [{ index: 0, id: 'a', function: { name: 'store', arguments: `{"a":"${content}"}` } }],
});

const words = Array.from({ length: 20_000 }, (_one, index) => `word${index}`).join(' ');

test.each([
	{ name: 'a text', delta: text('Hello'), isLong: false },
	{ name: 'a long text', delta: text(words), isLong: true },
	{ name: 'long thinking', delta: thinking(words), isLong: true },
	{ name: 'a short call', delta: call('Hello'), isLong: false },
	{ name: 'a long call', delta: call(words), isLong: true },
])(
	'n8n works on between the steps of a response with $name: $isLong',
	async ({ delta, isLong }) => {
		let turns = 0;
		const count = () => {
			turns++;
			next = setImmediate(count);
		};
		let next = setImmediate(count);
		await receive(responseOf([[event(delta, 'stop')]]));
		clearImmediate(next);
		expect(turns > 1).toBe(isLong);
	},
);

test.each([
	{ what: 'long, and the text names a tool', repetitions: 20_000, content: 'store', isLong: true },
	{ what: 'short', repetitions: 2, content: 'store', isLong: false },
	{ what: 'long, but the text names no tool', repetitions: 20_000, content: 'no', isLong: false },
])(
	'n8n works on while a request is compared with the calls in a text, if it is $what',
	async ({ repetitions, content, isLong }) => {
		let turns = 0;
		const count = () => {
			turns++;
			next = setImmediate(count);
		};
		let next = setImmediate(count);
		await receive(responseOf([[event({ content }, 'stop')]]), undefined, {
			callableNames: ['store'],
			findQuotation: createQuotationCheck(['Привет, \\"мир\\" &amp; '.repeat(repetitions)]),
		});
		clearImmediate(next);
		expect({ turns: turns > 5 }).toEqual({ turns: isLong });
	},
);

describe('events', () => {
	const read = async (
		batches: string[][],
		details: ResponseDetails = {},
		onDelta: (delta: TextAndReasoning) => Promise<void> | void = () => {},
	) => {
		const log: string[] = [];
		const completion = await receive(responseOf(batches, { ...details, log }), {
			onDelta,
			onContent: () => log.push('onContent'),
		});
		return { log, completion };
	};

	test('with output count as content, others do not', async () => {
		const { log } = await read([
			[event({ role: 'assistant', content: null })],
			[event(text('Hello')), event(text(' you'))],
			[event({}, 'stop')],
		]);
		expect(log).toEqual([
			'batch 0',
			'batch 1',
			'markContent',
			'onContent',
			'batch 2',
			'expectEnd',
			'end',
		]);
	});

	test.each([
		{ name: 'thinking', delta: thinking('Hm') },
		{ name: 'a call', delta: call('x') },
	])('with $name count as content', async ({ delta }) => {
		expect((await read([[event(delta)], [event({}, 'stop')]])).log).toContain('onContent');
	});

	test('after the end marker are not read', async () => {
		const { log, completion } = await read([
			[event(text('Hello')), event({}, 'stop'), '[DONE]'],
			[event(text('more'))],
		]);
		expect(log).not.toContain('batch 1');
		expect(completion).toMatchObject({ text: 'Hello', failure: undefined });
	});

	test('between the finish reason and the end are read, such as the usage', async () => {
		const usage = { prompt_tokens: 3, completion_tokens: 1 };
		const { completion } = await read([
			[event(text('Hello'), 'stop')],
			[JSON.stringify({ choices: [], usage })],
		]);
		expect(completion.usage).toMatchObject({ promptTokens: 3, completionTokens: 1 });
	});

	test('are shown one after another, each when the one before was taken', async () => {
		const shown: string[] = [];
		await read(
			[[event(text('x')), event(text('y'))], [event(text('z'), 'stop')]],
			{},
			async (delta) => {
				if (delta.text === '') return;
				shown.push(`<${delta.text}`);
				await Promise.resolve();
				shown.push(`${delta.text}>`);
			},
		);
		expect(shown).toEqual(['<x', 'x>', '<y', 'y>', '<z', 'z>']);
	});
});

describe('a stream that breaks', () => {
	const lost = new ServerError({
		type: 'connectionLost',
		inputWords: { title: 'Lost', suggestion: 'Retry' },
	});
	const read = async (events: string[], error: Error, signal?: AbortSignal) =>
		await receive(responseOf([events], { error }), { signal });

	test('before its last output is an error', async () => {
		await expect(read([event(text('Hel'))], lost)).rejects.toBe(lost);
	});

	test('after its last output is complete', async () => {
		const completion = await read([event(text('Hello'), 'stop')], lost);
		expect(completion).toMatchObject({ text: 'Hello', failure: undefined });
	});

	test('after its last output is an error if it was stopped', async () => {
		const signal = AbortSignal.abort();
		await expect(read([event(text('Hello'), 'stop')], lost, signal)).rejects.toBe(lost);
	});

	test.each([
		{ name: 'too large', received: event(text('beginning')).slice(0, -20), text: 'beginning' },
		{ name: 'too large, and nothing of it can be read', received: '<html>', text: '' },
	])('at an event that is $name keeps what was received', async ({ received, ...kept }) => {
		const error = new BodyTooLargeError(100).withReceived(received);
		const reader = new CompletionReader();
		const response = responseOf([[]], { error });
		await expect(reader.receive(response)).rejects.toBeInstanceOf(Error);
		expect(reader.partialOutput.text).toBe(kept.text);
	});
});

describe('the completion', () => {
	test('has the failure that a line outside of the events reports', async () => {
		const lines = ['error: {"error":{"message":"out of memory"}}'];
		const response = responseOf([[event(text('Hel'))]], { lines });
		const completion = await receive(response);
		expect(JSON.stringify(completion.failure)).toContain('out of memory');
	});

	test.each([true, false])('of one document, without a finish reason: %s', async (isDocument) => {
		const document = JSON.stringify({ choices: [{ message: text('Hello'), finish_reason: null }] });
		const response = responseOf([[document]], { type: isDocument ? 'document' : 'event' });
		const completion = await receive(response);
		expect(completion.failure === undefined).toBe(isDocument);
	});

	test('and all that is shown of it have no secret, also one that was split', async () => {
		const secret = 'sk-0123456789abcdefgh';
		const events = [event(text('Key sk-01234')), event(text('56789abcdefgh.'), 'stop')];
		let shown = '';
		const completion = await receive(responseOf([events], { secrets: [secret] }), {
			onDelta: (delta) => void (shown += delta.text),
		});
		const texts = [completion.text, shown];
		expect(texts).toEqual([texts[0], texts[0]]);
		expect(texts[0]).toMatch(/^Key .*\.$/);
		expect(texts[0]).not.toMatch(/sk-01234|56789abcdef/);
	});
});
