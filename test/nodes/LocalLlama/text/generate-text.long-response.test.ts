import { LocalLlama } from '../../../../nodes/LocalLlama/LocalLlama.node';
import { delta, sse } from '../../../guarantees/support/responses';
import { startScripted } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { useSimulator } from '../../../simulators/use-simulator';
import { executeContext } from '../../../support/n8n/execute-context';
import stream from 'node:stream';
import { cpuMillisecondsOf } from '../../../support/measures/cpu-time';

const startServer = useSimulator(startScripted);
const MODEL = { __rl: true, mode: 'id', value: 'sim-model' };
/** Text that does not repeat itself, which would end the request earlier. */
const createText = (length: number) =>
	Array.from({ length: length / 4 }, (_part, index) => `${100 + index} `).join('');
const HUNDRED = createText(100);
const THOUSAND = createText(1000);
/** The same text with another first number in each event, so that the response does not repeat itself either. */
const numberText = (text: string, index: number) => text.replace('100 ', `${100 + (index % 900)} `);
const TWO_MEGABYTES = 2 * 1024 * 1024;

/** A server that streams the events of `payload` until `count` are sent or the connection is closed. */
const startStreaming =
	(payload: object | string, count: number, onClose?: (sentCount: number) => void): Answer =>
	({ path }, response) => {
		if (!path.endsWith('completions')) return void response.writeHead(404).end('{}');
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		let sentCount = 0;
		response.on('close', () => onClose?.(sentCount));
		const event = sse(payload);
		const payloads = function* () {
			for (; sentCount < count; sentCount++) yield numberText(event, sentCount);
			yield sse(delta({}, 'stop'), '[DONE]');
		};
		stream.Readable.from(payloads()).pipe(response);
	};

async function run(script: Answer, parameters: Record<string, unknown> = {}) {
	const { url } = await startServer(script);
	const { context } = executeContext({
		type: 'n8n-nodes-local-llama.localLlama',
		credentials: { baseUrl: url },
		parameters: { model: MODEL, resource: 'text', operation: 'chat', prompt: 'Hi', ...parameters },
		continueOnFail: true,
	});
	const [items] = await new LocalLlama().execute.call(context);
	return items![0]!.json as { output?: string; error?: Record<string, unknown> };
}

test('1.5 MB of text in 15,000 deltas, buffered until the end', async () => {
	const { output } = await run(startStreaming(delta({ content: HUNDRED }), 15_000));
	expect(output).toHaveLength(1_500_000);
});

test('the CPU time of a response grows with its length', async () => {
	const measureTime = async (count: number) =>
		await cpuMillisecondsOf(
			async () => await run(startStreaming(delta({ content: HUNDRED }), count)),
		);
	const growths: number[] = [];
	await measureTime(2_000);
	// Four times the length takes four times as long if linear, sixteen times if quadratic.
	while (growths.length < 3 && (growths.at(-1) ?? Infinity) > 8)
		growths.push((await measureTime(8_000)) / (await measureTime(2_000)));
	expect(growths.at(-1)).toBeLessThan(8);
});

describe('more than 2 MB of text end the request, with the beginning in the error', () => {
	test.each([
		['text', delta({ content: THOUSAND }), {}, 'partialText'],
		[
			'text with JSON',
			delta({ content: THOUSAND }),
			{ options: { responseFormat: 'jsonObject' } },
			'partialText',
		],
		['thinking', delta({ reasoning_content: THOUSAND }), {}, 'partialReasoning'],
		[
			'a continued text',
			{ choices: [{ text: THOUSAND }] },
			{ operation: 'complete' },
			'partialText',
		],
	])(
		'more than 2 MB of %s end the request, with the beginning in the error',
		async (_name, payload, parameters, field) => {
			let close: ((sentCount: number) => void) | undefined;
			const closed = new Promise<number>((resolve) => (close = resolve));
			const { error } = await run(startStreaming(payload, Infinity, close), parameters);
			expect(error).toMatchObject({
				type: 'invalidResponse',
				message: 'The response contains more than 2 MB of text, so it was not read further',
			});
			const beginning = Array.from({ length: 999 }, (_part, index) => numberText(THOUSAND, index));
			const text = beginning.join('');
			expect(String(error![field]).slice(0, text.length)).toBe(text);
			expect((await closed) * THOUSAND.length).toBeGreaterThan(TWO_MEGABYTES);
		},
	);

	/** A text of `length` characters of JSON, and what it is before that. */
	const largeText = (length: number, character: string) =>
		`First words. ${character.repeat(length / JSON.stringify(character).slice(1, -1).length)}`;
	const asBody =
		(contentType: string, body: string): Answer =>
		({ path }, response) => {
			if (!path.endsWith('completions')) return void response.writeHead(404).end('{}');
			response.writeHead(200, { 'content-type': contentType }).end(body);
		};
	const message = (content: string) => ({
		choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
	});
	const first = sse(delta({ content: 'Before. ' }));

	test.each<[string, (text: string) => Answer, string, string]>([
		[
			'a JSON response',
			(text) => asBody('application/json', JSON.stringify(message(text))),
			'a',
			'',
		],
		['line ends', (text) => asBody('application/json', JSON.stringify(message(text))), '\n1', ''],
		[
			'a JSON response whose characters are escaped',
			(text) =>
				asBody('application/json', JSON.stringify(message(text)).replace(/[^ -~]/g, '\\u754c')),
			'界',
			'',
		],
		['one event', (text) => asBody('text/event-stream', sse(delta({ content: text }))), 'ab', ''],
		[
			'one event after another',
			(text) => asBody('text/event-stream', first + sse(delta({ content: text }))),
			'"b',
			'Before. ',
		],
		[
			'an event with its name',
			(text) =>
				asBody(
					'text/event-stream',
					`${first}event: delta\nid: 7\n${sse(delta({ content: text }))}`,
				),
			'ab',
			'Before. ',
		],
		[
			'events without blank lines between them',
			(text) =>
				asBody(
					'text/event-stream',
					(first.trim() + '\n').repeat(3) + sse(delta({ content: text })),
				),
			'ab',
			'Before. Before. Before. ',
		],
	])('of %s', async (_name, toAnswer, character, before) => {
		const text = largeText(3_800_000, character);
		const { error } = await run(toAnswer(text));
		expect(error).toMatchObject({ type: 'invalidResponse' });
		expect(error!.message).toContain('larger than 2 MB');
		expect(JSON.stringify({ ...error, partialText: '' })).not.toContain('webcam');
		const partial = String(error!.partialText);
		const length = 200_000;
		expect(partial.slice(0, length)).toBe((before + text).slice(0, length));
	});

	test('values: the text before them', async () => {
		const logprobs = { content: Array.from({ length: 400_000 }, () => ({ a: {} })) };
		const chunk = { choices: [{ delta: { content: 'First words.' }, logprobs }] };
		const { error } = await run(asBody('text/event-stream', first + sse(chunk)));
		expect(error!.partialText).toBe('Before. First words.');
	});

	test('arguments of a tool call', async () => {
		const payload = delta({
			tool_calls: [{ index: 0, function: { name: 'a', arguments: THOUSAND } }],
		});
		const { error } = await run(startStreaming(payload, Infinity));
		expect(error).toMatchObject({ type: 'invalidResponse' });
		expect(error!.message).toContain('more than 2 MB');
	});
});
