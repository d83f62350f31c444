import type { INodeProperties } from 'n8n-workflow';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { waitFor } from '../../lib/dify/wait-for';
import { countRequests, startApp, startSim } from '../../lib/dify/client';
import { type Fault, PAGES } from '../../simulators/dify';
import {
	sendMessages,
	sendMessageError,
	sendMessageJson,
	getItemError,
	executePrepared,
	executeNode,
	SPECIAL_CHARACTERS,
	getNodeError,
	createNumberedItems,
	prepareNode,
	getProperties,
	toSteps,
	getStreamedText,
} from '../dify';

describe('a message', () => {
	test.each(['/v1', '/v1/', '', '/', '/v1//'])(
		'a Base URL with "%s" at its end leads to the same route',
		async (end) => {
			const sim = await startSim({});
			await sendMessages({ url: sim.origin + end });
			expect(sim.requests.map(({ url }) => url)).toEqual(['/v1/chat-messages']);
		},
	);

	test('query, inputs and feedback arrive unchanged', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'paragraph', variable: 'about' }],
		});
		const { messageId, answer } = await sendMessageJson(sim, {
			parameters: { query: SPECIAL_CHARACTERS, inputsJson: { about: SPECIAL_CHARACTERS } },
		});
		await executeNode('difyFeedback', sim, {
			parameters: { messageId, content: SPECIAL_CHARACTERS },
		});
		expect([
			sim.runs[0]!.query,
			sim.runs[0]!.inputs.about,
			sim.app('chat').feedbacks[0]!.content,
			answer,
		]).toEqual([
			SPECIAL_CHARACTERS,
			SPECIAL_CHARACTERS,
			SPECIAL_CHARACTERS,
			`You said: ${SPECIAL_CHARACTERS}`,
		]);
	});

	test('Stop sends the task ID of Dify, and the user in a JSON body', async () => {
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [...toSteps('a'), { wait: 60_000 }] }),
		});
		const controller = new AbortController();
		const fake = prepareNode('difyChatMessage', sim, {
			signal: controller.signal,
			streaming: true,
			parameters: { user: 'anna' },
		});
		const running = getNodeError(executePrepared('difyChatMessage', fake));
		await waitFor(() => getStreamedText(fake) === 'a');
		controller.abort();
		await running;
		const { taskId } = sim.runs[0]!;
		expect(taskId).toMatch(/^[0-9a-f-]{36}$/);
		expect(sim.stops).toEqual([{ taskId, user: 'anna', mode: 'chat', hit: true }]);
		expect(sim.requests.at(-1)).toMatchObject({
			path: `/chat-messages/${taskId}/stop`,
			json: { user: 'anna' },
			status: 200,
		});
	});

	test('a message that may have started is never resent', async () => {
		const faults: Fault[] = [
			{
				status: 500,
				body: '{"message":"Internal Server Error","code":"unknown","status":500}',
				contentType: 'application/json',
			},
			...[502, 503, 504].map((status) => ({ status, body: PAGES.nginx502 })),
			{ status: 524, body: PAGES.cloudflare524 },
			{
				status: 429,
				body: '{"code":"rate_limit_error","message":"Workflow execution quota limit reached","status":429}',
				contentType: 'application/json',
			},
			{ how: 'reset' },
		];
		for (const fault of faults) {
			const sim = await startSim({});
			sim.fail({ ...fault, times: 9 });
			await sendMessageError(sim, {
				parameters: { options: { maxRetries: 9 } },
			});
			expect({ fault, sent: countRequests(sim, '/chat-messages') }).toEqual({ fault, sent: 1 });
		}
		const lostRun = await startApp(
			{ mode: 'chat', reply: () => ['a', 'b'] },
			{ stream: { cut: { events: 1, how: 'reset' } } },
		);
		expect(
			(await sendMessageError(lostRun, { parameters: { options: { maxRetries: 9 } } })).message,
		).toContain('ended before it was complete');
		expect(countRequests(lostRun, '/chat-messages')).toBe(1);
	});

	test('a proxy page after pings is not a queued run', async () => {
		const sim = await startSim({});
		const body = `event: ping\n\n${PAGES.nginx502}`;
		sim.fail({ path: '/chat-messages', status: 200, body, contentType: 'text/event-stream' });
		const error = await sendMessageError(sim, {});
		expect(error.context.data).toMatchObject({ type: 'streamEndedEarly' });
	});

	test('Stop ends a queued run as soon as it has an ID', async () => {
		let startRun = () => {};
		const wait = new Promise<void>((resolve) => (startRun = resolve));
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [{ wait }, ...toSteps('a'), { wait: 60_000 }] }),
		});
		const controller = new AbortController();
		const fake = prepareNode('difyChatMessage', sim, { signal: controller.signal });
		const running = getNodeError(executePrepared('difyChatMessage', fake));
		await waitFor(() => sim.runs.length === 1);
		controller.abort();
		startRun();
		await running;
		expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, hit: true }]);
	});

	test('timeouts also apply inside the stream, without a total timeout by default', async () => {
		const options = getProperties(new DifyChatMessage()).find(({ name }) => name === 'options')!
			.options as INodeProperties[];
		const timeoutFields = options.filter(({ name }) => name.endsWith('Timeout'));
		expect(
			Object.fromEntries(timeoutFields.map(({ name, default: preset }) => [name, preset])),
		).toEqual({
			idleTimeout: 600,
			totalTimeout: 0,
		});
		for (const { typeOptions } of timeoutFields) expect(typeOptions).not.toHaveProperty('maxValue');
		const sim = await startApp(
			{ mode: 'chat', reply: () => ({ steps: [...toSteps('a'), { wait: 60_000 }] }) },
			{ stream: { pingEveryMs: 5 } },
		);
		const error = await sendMessageError(sim, { parameters: { options: { totalTimeout: 1.5 } } });
		expect(error.context.data).toMatchObject({
			type: 'runTimeout',
			answer: 'a',
			stopRequested: true,
		});
	});

	test('code, status and text are in the error, and in the item with continue on fail', async () => {
		const rejection = {
			status: 400,
			code: 'provider_quota_exceeded',
			message: 'Your quota has been exhausted.',
		};
		const sim = await startApp({
			mode: 'chat',
			reply: ({ query }) => (query === 'q1' ? { steps: [], refuse: rejection } : query),
		});
		const items = await sendMessages(sim, { ...createNumberedItems(3), continueOnFail: true });
		expect(items.map(({ json }) => json.answer)).toEqual(['q0', undefined, 'q2']);
		expect(getItemError(items[1]!)).toMatchObject({
			code: rejection.code,
			status: 400,
			type: 'providerQuotaExceeded',
			message: 'Your quota has been exhausted',
			serverText: rejection.message,
		});
		const error = await sendMessageError(sim, { parameters: { query: 'q1' } });
		expect(error.message).toBe('Your quota has been exhausted');
		expect(error.context.data).toMatchObject({ code: rejection.code, status: 400 });
	});

	test('each item has its own IDs and usage, and is paired with its input item', async () => {
		const sim = await startSim({});
		for (const simplify of [true, false]) {
			const items = await sendMessages(sim, {
				...createNumberedItems(2),
				parameters: { simplify },
			});
			expect(items.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
			const { conversationId, messageId, taskId } = sim.runs.at(-1)!;
			expect(items[1]!.json).toMatchObject(
				simplify
					? { conversationId, messageId, usage: { totalTokens: 20 } }
					: {
							conversation_id: conversationId,
							message_id: messageId,
							task_id: taskId,
							metadata: { usage: { total_tokens: 20 } },
						},
			);
		}
	});
});
