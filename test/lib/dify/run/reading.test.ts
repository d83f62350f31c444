import * as fc from 'fast-check';
import { AFTER_STOP_MS } from '../../../../lib/dify/run/rules/waiting';
import type { DifyAppMode } from '../../../../lib/dify/types';
import { delay, performance } from '../../../support/node';
import { examples } from '../../../support/properties';
import { SAMPLES, type Step, type StreamKnobs } from '../../../servers/dify';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, say } from '../client';
import { playScript, said, scriptText } from '../play';
import { ALL, answerOf, screen, startTalk } from '../talk';

describe('transport', () => {
	const TEXTS = ['Hé', 'llo 你好', ' 😀 ', 'data: x\n\n', '[DONE]'];
	const WHOLE = TEXTS.join('');

	test.each<[string, StreamKnobs]>([
		['case 32: one byte per write', { bytesPerWrite: 1 }],
		['case 33: two events and half of a third per write', { eventsPerWrite: 2.5 }],
		['case 34: writes that end inside characters', { splitInsideUtf8: true }],
		['case 35: CRLF', { crlf: true }],
		['case 35: no blank line after the last event', { omitFinalBlank: true }],
		['case 36: a ping glued before each event', { pingBeforeEach: true }],
		['case 36: pings in between', { pingEveryMs: 1, delayMs: 4 }],
		['cases 32 and 35: prime pieces of CRLF', { crlf: true, bytesPerWrite: [7, 3, 11] }],
	])('%s gives the same result', async (_name, stream) => {
		for (const mode of ['chat', 'advanced-chat'] as const) {
			const { result, shown } = await answerOf(mode, TEXTS, stream);
			expect([result.status, result.text, shown]).toEqual(['succeeded', WHOLE, WHOLE]);
		}
	});

	test('case 38: unknown events and fields', async () => {
		const { result } = await answerOf('chat', {
			steps: [{ emit: 'brand_new', fields: { answer: 'no', x: 1 } }, ...said('yes')],
		});
		expect(result.text).toBe('yes');
	});

	test('case 39: unreadable data is counted and survived, without its content in the warning', async () => {
		const { result } = await answerOf('chat', {
			steps: [...said('a'), { raw: 'data: {"answer": app-secret\n\n' }, ...said('b')],
		});
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'ab',
			warnings: [expect.stringContaining('1 event') as string],
		});
		expect(JSON.stringify(result.warnings)).not.toContain('secret');
	});

	test.each([
		['nested too deeply', '['.repeat(600) + ']'.repeat(600), 'nested deeper than 500 levels'],
		['with too many lists', `[${'[],'.repeat(1_000_001)}[]]`, 'more than 1000000 objects'],
	])('an event %s ends the run, and is named', async (_what, json, named) => {
		const sim = await startTalk('chat', {
			steps: [...said('a'), { raw: `data: {"event":"message","x":${json}}\n\n` }, ...said('b')],
		});
		const failed = await failureOf(say(clientOf(sim)));
		expect(`${failed.message} ${failed.meaning}`).toContain(named);
		expect(failed.partialText).toBe('a');
	});

	test('case 40: an error inside a 200', async () => {
		const sim = await startTalk('chat', 'x');
		sim.fail({
			status: 200,
			body: '{"code":"app_unavailable","message":"App unavailable, please check your app configurations.","status":400}',
			contentType: 'application/json',
		});
		expect(await failureOf(say(clientOf(sim)))).toMatchObject({
			kind: 'appUnavailable',
			status: 400,
			code: 'app_unavailable',
		});
		sim.fail({ status: 200, body: 'error code: 1027', contentType: 'text/plain' });
		const text = await failureOf(say(clientOf(sim)));
		expect(text.kind).toBe('streamEndedEarly');
		expect(text.meaning).toContain('error code: 1027');
	});

	test('case 41: an error in place of a stream', async () => {
		const sim = await startTalk('chat', 'x');
		sim.fail({
			status: 404,
			body: '{"code":"not_found","message":"Conversation Not Exists.","status":404}',
			contentType: 'application/json',
		});
		expect(await failureOf(say(clientOf(sim)))).toMatchObject({
			status: 404,
			kind: 'conversationNotFound',
		});
		sim.fail({
			status: 400,
			body: '{"code":"provider_not_initialize","message":"No valid model provider credentials found.","status":400}',
			contentType: 'application/json',
		});
		expect(await failureOf(say(clientOf(sim)))).toMatchObject({
			status: 400,
			code: 'provider_not_initialize',
			kind: 'providerCredentials',
		});
	});

	test('case 42: a reset after three events keeps text and ids, and nothing is sent again', async () => {
		for (const mode of ALL) {
			const steps = mode.startsWith('agent')
				? [{ round: { chunks: ['a', 'b', 'c', 'd'] } }]
				: said('a', 'b', 'c', 'd');
			const sim = await startTalk(mode, { steps }, { cut: { events: 3, how: 'reset' } });
			sim.fail({ method: 'GET', path: /^\/workflow/, status: 404, times: 99 });
			const failed = await failureOf(
				say(clientOf(sim, mode), {}, { retries: 3, retryPauseMs: 1, waits: { unseenMs: 1 } }),
			);
			const { taskId, conversationId, messageId } = sim.runs[0]!;
			// The first event is the beginning of a thought or of the workflow, where there is one.
			expect(failed).toMatchObject({
				kind: 'streamEndedEarly',
				partialText: mode === 'chat' ? 'abc' : 'ab',
				facts: { taskId, conversationId, messageId },
			});
			expect(failed.remedy).toMatch(/may (?:have gone|go) on/);
			expect(calls(sim, '/chat-messages')).toBe(1);
			expect(sim.stops).toHaveLength(0);
		}
	});

	test('case 43: a socket left open after message_end does not hold up the answer', async () => {
		for (const mode of ALL) {
			const sim = await startTalk(mode, 'Hello', { holdOpen: true, pingEveryMs: 5 });
			expect((await say(clientOf(sim, mode))).result.text).toBe('Hello');
			await waitFor(() => sim.runs[0]!.clientLeft);
		}
	});

	test('case 44: text that looks like the protocol stays text', async () => {
		const { result } = await answerOf('chat', ['data: x\n\n', '[DONE]', 'event: ping\n\n']);
		expect(result.text).toBe('data: x\n\n[DONE]event: ping\n\n');
	});
});

describe('what the events mean', () => {
	test('case 45: three pieces, usage and resources', async () => {
		const resources = [{ position: 1, document_name: 'a.pdf', content: 'quote "x"', score: 0.5 }];
		const usage = {
			prompt_tokens: 1,
			total_tokens: 3,
			total_price: '0.0000010',
			currency: 'USD',
			latency: 0.5,
		};
		const { result } = await answerOf('chat', {
			steps: said('a', 'b', 'c'),
			usage,
			resources,
		});
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'abc',
			usage,
			retrieverResources: resources,
		});
	});

	test('case 46: a replacement in the middle', async () => {
		const { result, shown } = await answerOf('chat', {
			steps: [...said('bad', ' words'), { replace: 'Withheld.' }, ...said(' More.')],
		});
		expect([result.text, shown]).toEqual(['Withheld. More.', 'Withheld. More.']);
	});

	test('case 47: a file is a file, text labelled as a file is text', async () => {
		const { result, shown } = await answerOf('chat', {
			steps: [
				{ file: { id: 'f', type: 'image', url: 'http://files/a.png' } },
				...said('Here', ' it is'),
			],
		});
		expect([result.text, shown]).toEqual(['Here it is', 'Here it is']);
		expect(result.files).toEqual([
			{ id: 'f', type: 'image', url: 'http://files/a.png', belongs_to: 'assistant' },
		]);
	});

	test('case 47: the answer to a picture is whole, whatever 1.12 calls its pieces', async () => {
		const sim = await startTalk('chat', ['I see', ' a cat'], {}, { fileUpload: { enabled: true } });
		const { result } = await say(clientOf(sim), {
			files: [{ type: 'image', transfer_method: 'remote_url', url: 'https://example.com/cat.png' }],
		});
		expect(result.text).toBe('I see a cat');
		expect(result.files).toEqual([]);
		const names = sim.runs[0]!.events.map(({ event }) => event);
		expect(names.includes('message_file')).toBe(false);
	});

	test('case 48: an agent with a tool: one thought per id, text from its messages', async () => {
		const { result } = await answerOf('agent-chat', SAMPLES.agentChat);
		expect(result.text).toBe('Let me check. It is noon.');
		expect(result.thoughts).toMatchObject([
			{ tool: 'time', tool_input: '{"time": {"tz": "UTC"}}', observation: '{"time": "12:00"}' },
			{ thought: 'It is noon.' },
		]);
	});

	test('case 49: an agent answered by an annotation', async () => {
		const { result } = await answerOf('agent-chat', {
			steps: said('Fixed answer.'),
			moderated: true,
		});
		expect(result.text).toBe('Fixed answer.');
	});

	test('case 50: the closing full message of a New Agent is not doubled', async () => {
		const { result, shown } = await answerOf('agent', {
			steps: [{ round: { chunks: ['Hel', 'lo'] } }],
		});
		expect([result.text, shown]).toEqual(['Hello', 'Hello']);
	});

	test('case 51: both orders of a chatflow have the text, the usage and the run', async () => {
		const { result } = await answerOf('advanced-chat', SAMPLES.chatflow);
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'Hello',
			usage: { total_tokens: 20 },
			workflow: { status: 'succeeded', nodes: [{ nodeId: 'n1', status: 'succeeded' }] },
		});
	});

	test('cases 52 to 54: a chatflow that fails is one failure with text and run, in the order of each version', async () => {
		const sim = await startTalk('advanced-chat', {
			steps: said('par', 'tial'),
			fail: 'boom in node',
		});
		const failed = await failureOf(say(clientOf(sim, 'advanced-chat')));
		expect(failed).toMatchObject({
			kind: 'runFailed',
			partialText: 'partial',
			facts: { workflowRunId: sim.runs[0]!.workflowRunId, taskId: sim.runs[0]!.taskId },
		});
		expect(failed.serverText).toContain('boom in node');
		expect(failed.code).toBe(undefined);
	});

	test('case 55: a moderated chatflow is a success, although the socket stays open', async () => {
		const { result, sim } = await answerOf(
			'advanced-chat',
			{ steps: said('I cannot say.'), moderated: true },
			{ pingEveryMs: 5 },
		);
		expect(result).toMatchObject({ status: 'succeeded', text: 'I cannot say.' });

		await waitFor(() => sim.runs[0]!.clientLeft);
	});

	test.each<[{ code?: string; status: number; message: string | null }, string]>([
		[
			{ code: 'completion_request_error', status: 400, message: 'provider says no' },
			'provider says no',
		],
		[{ status: 500, message: 'worker says no' }, 'worker says no'],
		[{ code: 'completion_request_error', status: 400, message: null }, 'completion_request_error'],
		[{ status: 500, message: '' }, 'without a text'],
	])('case 56: the error event %j is a failure with a text', async (error, text) => {
		const sim = await startTalk('chat', { steps: [{ error }] });
		const failed = await failureOf(say(clientOf(sim)));
		expect(failed.serverText).toContain(text);
		expect(failed.code).toBe(error.code);
		expect(failed.status).toBe(error.status);
	});

	test('case 57: after an error, the socket is closed at once', async () => {
		const sim = await startTalk(
			'advanced-chat',
			{ steps: [...said('a'), { error: { status: 500, message: 'x' } }] },
			{ holdOpen: true, pingEveryMs: 5 },
		);
		expect(await failureOf(say(clientOf(sim, 'advanced-chat')))).toMatchObject({ status: 500 });
		await waitFor(() => sim.runs[0]!.clientLeft);
	});

	test('case 58: text before an error is in the error, never a success', async () => {
		const sim = await startTalk('chat', {
			steps: [
				...said('half an ', 'answer'),
				{ error: { code: 'completion_request_error', status: 400, message: 'quota' } },
			],
		});
		const failed = await failureOf(say(clientOf(sim)));
		expect(failed).toMatchObject({
			partialText: 'half an answer',
			facts: { taskId: sim.runs[0]!.taskId, messageId: sim.runs[0]!.messageId },
		});
	});

	test('case 60: a chatflow that waits for a person is paused, with its forms', async () => {
		const form = {
			nodeId: 'h1',
			nodeTitle: 'Approve',
			content: 'Ok?',
			actions: [{ id: 'yes', title: 'Yes' }],
		};
		for (const token of [undefined, null]) {
			const { result, sim } = await answerOf('advanced-chat', {
				steps: [...said('Please wait.'), { pause: [{ ...form, token }] }],
			});
			expect(result).toMatchObject({
				status: 'paused',
				text: 'Please wait.',
				pause: {
					workflowRunId: sim.runs[0]!.workflowRunId,
					forms: [{ nodeTitle: 'Approve', actions: form.actions }],
				},
			});
			expect(result.pause!.forms[0]!.formToken === null).toBe(token === null);
		}
	});

	test.each(ALL)(
		'case 61: stopping %s calls the stop route of the run, and reads on to the end',
		async (mode) => {
			const steps: Step[] = [
				...(mode.startsWith('agent')
					? [{ round: { chunks: ['Once', ' upon'] } }]
					: said('Once', ' upon')),
				{ wait: 60_000 },
				...said('!'),
			];
			const sim = await startTalk(mode, { steps });
			const controller = new AbortController();
			const { onDeltas, shown } = screen();
			const running = failureOf(
				say(clientOf(sim, mode).withSignal(controller.signal), {}, { onDeltas }),
			);
			await waitFor(() => shown() === 'Once upon');
			controller.abort();
			expect(await running).toMatchObject({
				kind: 'cancelled',
				partialText: 'Once upon',
				facts: { stopRequested: true },
			});
			expect(sim.stops).toEqual([{ taskId: sim.runs[0]!.taskId, user: 'u1', mode, hit: true }]);
			// Dify 1.12 stores the answer only where the stream is read to its end.
			expect(sim.runs[0]).toMatchObject({ status: 'stopped', clientLeft: false });
		},
	);

	test.each(ALL)(
		'case 61: what somebody else stopped in %s: its text until then, in a chatflow also that it was stopped',
		async (mode) => {
			const sim = await startTalk(mode, {
				steps: [
					...(mode.startsWith('agent') ? [{ round: { chunks: ['Once'] } }] : said('Once')),
					{ wait: 60_000 },
					...said('never'),
				],
			});
			const client = clientOf(sim, mode);
			const running = say(client);
			await waitFor(() => sim.runs[0]?.events.some(({ answer }) => answer === 'Once') === true);
			await client.send('POST', `/chat-messages/${sim.runs[0]!.taskId}/stop`, { user: 'u1' });
			// A stopped chat ends as any other does (docs/protocols/dify.md 3.10).
			expect((await running).result).toMatchObject({
				status: mode === 'advanced-chat' ? 'stopped' : 'succeeded',
				text: 'Once',
			});
		},
	);

	test('a stop before the first event, and one before sending', async () => {
		const sim = await startTalk('chat', { steps: [{ wait: 60_000 }] });
		const controller = new AbortController();
		const running = failureOf(say(clientOf(sim).withSignal(controller.signal)));
		await waitFor(() => sim.runs.length === 1);
		await delay(20);
		controller.abort();
		expect(await running).toMatchObject({ kind: 'cancelled' });
		await waitFor(() => sim.runs[0]!.clientLeft);
		expect(await failureOf(say(clientOf(sim).withSignal(controller.signal)))).toMatchObject({
			kind: 'cancelled',
		});
		expect(sim.runs).toHaveLength(1);
	});

	test('a chatflow that is stopped as soon as it is sent is stopped once it has an ID', async () => {
		const steps: Step[] = [...said('a'), { wait: 60_000 }];
		const sim = await startTalk('advanced-chat', { steps }, { firstDelayMs: 50 });
		const controller = new AbortController();
		const running = failureOf(say(clientOf(sim, 'advanced-chat').withSignal(controller.signal)));
		await waitFor(() => sim.runs.length === 1);
		controller.abort();
		expect(await running).toMatchObject({ kind: 'cancelled', facts: { stopRequested: true } });
		expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, hit: true }]);
	});

	test('a stopped run that Dify does not end is closed after three seconds', async () => {
		const sim = await startTalk('advanced-chat', {
			steps: [...said('a'), { wait: 60_000 }],
		});
		sim.fail({
			path: /\/stop$/,
			status: 200,
			body: '{"result":"success"}',
			contentType: 'application/json',
		});
		const controller = new AbortController();
		const { onDeltas, shown } = screen();
		const running = failureOf(
			say(clientOf(sim, 'advanced-chat').withSignal(controller.signal), {}, { onDeltas }),
		);
		await waitFor(() => shown() === 'a');
		const stoppedAt = performance.now();
		controller.abort();
		expect(await running).toMatchObject({
			kind: 'cancelled',
			partialText: 'a',
			facts: { stopRequested: true },
		});
		expect(performance.now() - stoppedAt).toBeGreaterThan(AFTER_STOP_MS - 50);
		await waitFor(() => sim.runs[0]!.clientLeft);
	});

	test('Stop ends a run although the chat takes nothing more', async () => {
		const sim = await startTalk('advanced-chat', {
			steps: [...said('a'), { wait: 60_000 }],
		});
		const controller = new AbortController();
		let isShown = false;
		const onDeltas = async () => {
			isShown = true;
			await new Promise<void>(() => {});
		};
		const running = failureOf(
			say(clientOf(sim, 'advanced-chat').withSignal(controller.signal), {}, { onDeltas }),
		);
		await waitFor(() => isShown);
		controller.abort();
		expect(await running).toMatchObject({ partialText: 'a', facts: { stopRequested: true } });
		expect(sim.stops).toHaveLength(1);
	});

	test('case 62: events of nodes, loops and reasoning stay out of the answer', async () => {
		const data = { id: 'it1', node_id: 'it', node_type: 'iteration', title: 'Each' };
		const steps: Step[] = [
			{ node: { id: 'n1', type: 'llm', outputs: { text: 'not this' } } },
			{ emit: 'iteration_started', fields: { data } },
			{ emit: 'iteration_completed', fields: { data: { ...data, status: 'succeeded', steps: 1 } } },
			{ emit: 'reasoning_chunk', fields: { data: { reasoning: 'Hm.' } } },
			{ emit: 'agent_log', fields: { data: { id: 'l1', label: 'no', status: 'start' } } },
			...said('Done.'),
		];
		const { result, shown } = await answerOf('advanced-chat', { steps });
		expect([result.text, shown, result.reasoning, result.workflow!.nodes.length]).toEqual([
			'Done.',
			'Done.',
			'Hm.',
			2,
		]);
	});

	test('case 63: an empty answer is a success', async () => {
		for (const mode of ALL)
			expect((await answerOf(mode, { steps: [] })).result).toMatchObject({
				status: 'succeeded',
				text: '',
			});
	});
});

describe('properties over the real client', () => {
	const text = fc.oneof(
		fc.string({ unit: 'grapheme', maxLength: 6 }),
		fc.constantFrom('data: x\n\n', '你好', '😀', '\r\n', '"}', '[DONE]'),
	);
	const script = fc.constantFrom<DifyAppMode>('chat', 'agent-chat', 'advanced-chat').chain((mode) =>
		fc.record({
			mode: fc.constant(mode),
			steps: fc.array<Step>(
				mode === 'agent-chat'
					? fc.record({ round: fc.record({ chunks: fc.array(text, { maxLength: 3 }) }) })
					: fc.record({ text }),
				{ maxLength: 5 },
			),
		}),
	);

	test('any split of any transcript gives the same result', async () => {
		await fc.assert(
			fc.asyncProperty(
				script,
				fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 8 }),
				fc.boolean(),
				async ({ mode, steps }, splitAt, crlf) => {
					const { result, shown, sim } = await answerOf(
						mode,
						{ steps },
						{ splitAt: [...splitAt].sort((a, b) => a - b), crlf },
					);
					const expected = playScript(mode, { steps }).result;
					expect([result.status, result.text, shown]).toEqual([
						expected.status,
						expected.text,
						expected.text,
					]);
					expect([result.thoughts.length, result.usage, result.workflow?.nodes.length]).toEqual([
						expected.thoughts.length,
						expected.usage,
						expected.workflow?.nodes.length,
					]);
					await sim.close();
				},
			),
			examples(60),
		);
	});

	test('any cut of any transcript is a failure with all the text until then', async () => {
		await fc.assert(
			fc.asyncProperty(
				script,
				fc.double({ min: 0, max: 0.99, noNaN: true }),
				fc.constantFrom<'eof' | 'reset'>('eof', 'reset'),
				async ({ mode, steps }, part, how) => {
					// Ids of the simulator are longer than those of the sample, so the shortest transcript decides where a cut
					// can be.
					const text = scriptText(mode, { steps });
					const bytes = Math.max(1, Math.floor(Buffer.byteLength(text) * part) - 2);
					const sim = await startTalk(mode, { steps }, { cut: { bytes, how } });
					// A chatflow that is found again is no failure.
					sim.fail({ method: 'GET', path: /^\/workflow/, status: 404, times: 99 });
					const { onDeltas, shown } = screen();
					const failed = await failureOf(
						say(clientOf(sim, mode), {}, { onDeltas, waits: { unseenMs: 1 } }),
					);
					// Before the first event, a run may still wait for a worker: which streams are told so, case 37 says.
					const hasBegun = text.slice(0, bytes).includes('data:');
					expect(hasBegun ? ['streamEndedEarly'] : ['streamEndedEarly', 'queued']).toContain(
						failed.kind,
					);
					expect(failed.partialText ?? '').toBe(shown());
					const whole = playScript(mode, { steps }).result.text;
					expect(whole.startsWith(shown())).toBe(true);
					await sim.close();
				},
			),
			examples(60),
		);
	});
});
