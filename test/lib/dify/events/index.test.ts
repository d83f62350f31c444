import * as fc from 'fast-check';
import { createRun, resultByEvents, reduce } from '../../../../lib/dify/events';
import { parseJson } from '../../../../lib/json';
import { recordOf } from '../../../../lib/values';
import type { DifyAppMode, RunResult } from '../../../../lib/dify/types';
import { type Script, type Step } from '../../../servers/dify';
import {
	bytesOf,
	CHATFLOW,
	ENV,
	IDS,
	lines,
	playBytes,
	playScript,
	playText,
	said,
	scriptText,
} from '../play';
import { examples } from '../../../support/properties';
import { httpFixture } from '../../../support/streams';

describe('transport', () => {
	const script: Script = { steps: said('Größe ', '你好 ', '😀'), usage: { total_tokens: 5 } };

	test('case 32: one byte per write ()', () => {
		const text = scriptText('chat', script);
		const single = [...bytesOf(text)].map((byte) => Uint8Array.of(byte));
		expect(playBytes(single)).toEqual(playText(text));
	});

	test('case 33: two events and half of a third in one chunk', () => {
		const bytes = bytesOf(scriptText('chat', script));
		const text = new TextDecoder().decode(bytes);
		const third = text.indexOf('data: ', text.indexOf('data: ', 6) + 1);
		const played = playBytes([bytes.subarray(0, third + 30), bytes.subarray(third + 30)]);
		expect(played.result).toMatchObject({ status: 'succeeded', text: 'Größe 你好 😀' });
	});

	test('case 34: a character of three or four bytes split anywhere', () => {
		const bytes = bytesOf(scriptText('chat', script));
		for (let at = 1; at < bytes.length; at++) {
			expect(playBytes([bytes.subarray(0, at), bytes.subarray(at)]).result.text).toBe(
				'Größe 你好 😀',
			);
		}
	});

	test('case 35: CRLF, and a last event without a blank line', () => {
		const text = scriptText('chat', script);
		const plain = playText(text);
		expect(playText(text.replaceAll('\n', '\r\n'))).toEqual(plain);
		expect(playText(text.replace(/\n\n$/, ''))).toEqual(plain);
		expect(plain.result.status).toBe('succeeded');
	});

	test('case 36: pings first, between, and glued to data', () => {
		const text = scriptText('chat', script);
		const pinged = text.replaceAll('data: ', 'event: ping\n\ndata: ');
		expect(playText(pinged)).toEqual(playText(text));
		expect(reduce(createRun(), { event: 'ping' })).toMatchObject({ deltas: [], next: 'continue' });
	});

	test('case 37: only pings, then the end or a limit', () => {
		const pings = 'event: ping\n\n'.repeat(3);
		expect(playText(pings).result).toMatchObject({
			status: 'failed',
			text: '',
			error: { cause: 'queued' },
		});
		const late = playText(pings + lines({ event: 'message', ...ENV, answer: '' }), {}, 'idle');
		expect(late.result).toMatchObject({ status: 'failed', taskId: 't', error: { cause: 'idle' } });
		expect(late.next).toBe('continue');
	});

	test('case 38: unknown events and fields', () => {
		const text = scriptText('chat', {
			...script,
			steps: [...script.steps, { emit: 'brand_new', fields: { answer: 'no', data: 5 } }],
		});
		const odd = text.replace('"answer":', '"novel":[{}],"answer":');
		expect(playText(odd).result).toMatchObject({
			status: 'succeeded',
			text: 'Größe 你好 😀',
			warnings: [],
		});
	});

	test('case 39: unreadable data is counted, told without its content, and survived', () => {
		const broken = 'data: {"answer":"app-SecretSecretSecret00\n\ndata: [1]\n\n';
		const { result } = playText(broken + scriptText('chat', script));
		expect(result).toMatchObject({ status: 'succeeded', text: 'Größe 你好 😀' });
		expect(result.warnings).toEqual([
			'2 event(s) of the stream could not be read and were left out.',
		]);
	});

	test('case 42: a reset after three chunks keeps the partial text and all ids', () => {
		const text = scriptText(CHATFLOW, {
			steps: [{ node: { id: 'n1' } }, ...said('a', 'b')],
		});
		const upToB = text.slice(0, text.indexOf('data: {"event":"message_end"'));
		const state = createRun();
		for (const line of upToB.split('\n\n').filter(Boolean)) reduce(state, parseJson(line.slice(6)));
		expect(resultByEvents(state, 'closed', 'read ECONNRESET')).toMatchObject({
			...IDS,
			workflowRunId: 'r',
			status: 'failed',
			text: 'ab',
			error: {
				cause: 'endedEarly',
				message:
					'The stream ended early: the connection was closed before the result was complete: read ECONNRESET',
			},
		});
	});

	test('case 43: closes at message_end, whatever the server does', () => {
		const played = playText(scriptText('chat', script) + 'event: ping\n\n'.repeat(9));
		expect(played).toMatchObject({ closed: true, result: { status: 'succeeded' } });
	});

	test('case 44: text that looks like the protocol', () => {
		const odd = ['data: x\n\n', '[DONE]', 'event: error\r\n\r\n', '\u2028'];
		const { result, shown } = playScript('chat', { steps: said(...odd) });
		expect([result.text, shown]).toEqual([odd.join(''), odd.join('')]);
	});
});

describe('properties', () => {
	const text = fc.oneof(
		fc.string({ unit: 'grapheme', maxLength: 8 }),
		fc.constantFrom('data: x\n\n', '[DONE]', '你好', '😀', '\r\n', '"}', '', '\u2028', 'é'),
	);
	const extra: fc.Arbitrary<Step> = fc.constantFrom<Step>(
		{ ping: true },
		{ raw: 'data: {broken\n\n' },
		{ raw: ': comment\n\n' },
		{ emit: 'brand_new', fields: { answer: 'no' } },
		{ emit: 'reasoning_chunk', fields: { data: { reasoning: 'hm 思' } } },
		{ file: { type: 'image', url: '/a.png' } },
		{ tts: 'AAEC' },
	);
	const node: fc.Arbitrary<Step> = fc.record({
		node: fc.record({ id: fc.constantFrom('n1', 'n2'), error: fc.constant(undefined) }),
	});
	const steps = (mode: DifyAppMode): fc.Arbitrary<Step[]> => {
		const piece: fc.Arbitrary<Step> =
			mode === 'agent' || mode === 'agent-chat'
				? fc.record({ round: fc.record({ chunks: fc.array(text, { maxLength: 3 }) }) })
				: fc.record({ text });
		const flow = mode === CHATFLOW || mode === 'workflow' ? [node] : [];
		return fc.array(fc.oneof({ weight: 3, arbitrary: piece }, extra, ...flow), { maxLength: 6 });
	};
	const ends: Array<Partial<Script>> = [
		{},
		{ fail: 'boom' },
		{ exceptions: 1 },
		{ trailingAudio: ['AA=='] },
	];
	const run = fc
		.constantFrom<DifyAppMode>('chat', 'agent-chat', 'agent', CHATFLOW, 'completion', 'workflow')
		.chain((mode) =>
			fc.record({
				mode: fc.constant(mode),
				steps: steps(mode),
				end: fc.constantFrom(
					...(mode === CHATFLOW || mode === 'workflow' ? ends : [{}, { trailingAudio: ['AA=='] }]),
				),
				replacement: fc.option(text, { nil: undefined }),
				error: fc.boolean(),
			}),
		)
		.map(({ mode, steps: all, end, replacement, error }) => {
			const replaced: Step[] = replacement === undefined ? [] : [{ replace: replacement }];
			const failed: Step[] = error ? [{ error: { status: 500, message: 'x' } }] : [];
			const script: Script = { steps: [...all, ...replaced, ...failed], ...end };
			return scriptText(mode, script);
		});

	test('any split of a transcript gives the same result, and the pieces shown are the text', () => {
		fc.assert(
			fc.property(run, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (plain, cuts, crlf) => {
				const whole = crlf ? plain.replaceAll('\n', '\r\n') : plain;
				const bytes = bytesOf(whole);
				const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort(
					(one, other) => one - other,
				);
				const pieces = [...at, bytes.length].map((end, index) =>
					bytes.subarray(at[index - 1] ?? 0, end),
				);
				const played = playBytes(pieces);
				expect(played).toEqual(playText(plain));
				expect(played.shown).toBe(played.result.text);
			}),
			examples(300),
		);
	});

	/** All text of the complete events, by the simplest means that an append-only stream allows. */
	function plainText(part: string): string {
		let out = '';
		for (const line of part.split('\n')) {
			const event = recordOf(parseJson(line.replace(/^data: /, '')));
			const piece = event.event === 'text_chunk' ? recordOf(event.data).text : event.answer;
			const known = ['message', 'agent_message', 'message_file', 'text_chunk'].includes(
				String(event.event),
			);
			if (known && typeof piece === 'string') out += piece;
		}
		return out;
	}

	test('any cut gives failure with all the text so far and the ids', () => {
		const appended = fc
			.constantFrom<DifyAppMode>('chat', 'agent-chat', CHATFLOW, 'completion', 'workflow')
			.chain((mode) =>
				fc.record({
					mode: fc.constant(mode),
					steps: steps(mode),
					end: fc.constantFrom<Partial<Script>>(
						...(mode === CHATFLOW || mode === 'workflow' ? ends.slice(0, 3) : [{}]),
					),
				}),
			);
		fc.assert(
			fc.property(
				appended,
				fc.nat(),
				fc.constantFrom('eof', 'closed', 'cancelled', 'idle'),
				({ mode, steps: all, end }, cut, reason) => {
					const silent = all.filter((step) => !('tts' in step));
					const bytes = bytesOf(scriptText(mode, { steps: silent, ...end }));
					// The last event is whole without its two line ends, so the last cut is one byte before them.
					const part = bytes.subarray(0, cut % (bytes.length - 2));
					const { result, shown } = playBytes([part], {}, reason);
					const text = new TextDecoder().decode(part);
					expect(result.status).toBe('failed');
					expect(result.error?.message).not.toBe('');
					expect([result.text, shown]).toEqual([plainText(text), plainText(text)]);
					// The first whole event names the task.
					if (/"task_id":"t".*\n/.test(text)) expect(result.taskId).toBe('t');
				},
			),
			examples(300),
		);
	});

	test("any cut of a New Agent's stream: failure, nothing doubled", () => {
		const bytes = bytesOf(
			scriptText('agent', { steps: [{ round: { chunks: ['Hel', 'lo 你'] } }] }),
		);
		const texts = new Set<string>();
		for (let cut = 0; cut < bytes.length - 2; cut++) {
			const { result } = playBytes([bytes.subarray(0, cut)]);
			expect(result.status).toBe('failed');
			texts.add(result.text);
		}
		expect([...texts]).toEqual(['', 'Hel', 'Hello 你']);
	});

	test("a real New Agent's stream (main of July 2026): whole and counted, and any cut is a failure", () => {
		const body = httpFixture('dify-main-2026-07/newagent-stream.http').body.toString();
		const bytes = bytesOf(body);
		const whole = 'wort0 wort1 wort2 wort3 wort4';
		const { result, shown } = playBytes([bytes]);
		expect([result.status, result.text, shown]).toEqual(['succeeded', whole, whole]);
		expect(result.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 5 });
		const end = body.indexOf('data: {"event":"message_end"');
		for (let cut = 0; cut < end; cut += 7)
			expect(playBytes([bytes.subarray(0, cut)]).result.status).toBe('failed');
	});

	test('no event of any shape throws, and the result is plain data', () => {
		const names = [
			...[
				'message',
				'agent_message',
				'agent_thought',
				'message_file',
				'message_replace',
				'message_end',
				'tts_message',
			],
			...[
				'workflow_started',
				'workflow_finished',
				'workflow_paused',
				'node_started',
				'node_finished',
				'node_retry',
			],
			...[
				'iteration_next',
				'loop_completed',
				'agent_log',
				'text_chunk',
				'text_replace',
				'reasoning_chunk',
				'error',
			],
			...['human_input_required', 'human_input_form_filled', 'ping'],
		];
		const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));
		const event = fc.record({
			event: fc.constantFrom<unknown>(...names, 5),
			id: value,
			answer: value,
			data: fc.oneof(
				value,
				fc.record({
					id: value,
					status: value,
					outputs: value,
					files: value,
					reasons: value,
					error: value,
				}),
			),
			metadata: value,
			files: value,
			message: value,
			task_id: value,
		});
		fc.assert(
			fc.property(fc.array(fc.oneof(event, value), { maxLength: 8 }), (events) => {
				const state = createRun();
				for (const each of events) reduce(state, each);
				const result: RunResult = resultByEvents(state, 'eof');
				expect(result.error === undefined).toBe(result.status !== 'failed');
				expect(() => JSON.stringify(result)).not.toThrow();
			}),
			examples(300),
		);
	});
});
