import { UNKNOWN_ID, startApp } from '../../lib/dify/client';
import { waitFor } from '../../support/waiting/wait-for';
import { SAMPLES } from '../../simulators/dify';
import type { Step } from '../../simulators/dify';
import {
	sendMessageError,
	sendMessageJson,
	prepare,
	execute,
	createNumberedItems,
	inConversation,
	getStreamedText,
	toSteps,
} from '../dify';

describe('the item of a message', () => {
	const usage = {
		prompt_tokens: 2,
		completion_tokens: 1,
		total_tokens: 3,
		total_price: '0.0000010',
		currency: 'USD',
	};
	const resources = [{ document_name: 'a.pdf', content: 'x' }];
	const startWithSources = async () =>
		await startApp({
			mode: 'chat',
			reply: () => ({ steps: [{ text: 'Hello' }], usage, resources }),
		});

	test('the sources are in the item on request, and in the raw output with the prices', async () => {
		const sim = await startWithSources();
		const options = { include: ['sources'] };
		expect(await sendMessageJson(sim, { parameters: { options } })).toMatchObject({
			sources: resources,
		});
		expect(await sendMessageJson(sim, { parameters: { simplify: false } })).toMatchObject({
			metadata: { usage, retriever_resources: resources },
		});
	});

	test("without Simplify, the item has Dify's own fields, like a blocking response", async () => {
		const sim = await startApp({ mode: 'advanced-chat', reply: () => SAMPLES.chatflow });
		const json = await sendMessageJson(sim, {
			mode: 'advanced-chat',
			parameters: { simplify: false },
		});
		const run = sim.runs[0]!;
		expect(json).toMatchObject({
			event: 'message',
			task_id: run.taskId,
			id: run.messageId,
			message_id: run.messageId,
			conversation_id: run.conversationId,
			workflow_run_id: run.workflowRunId,
			status: 'succeeded',
			answer: 'Hello',
			files: [],
			created_at: run.startedAt,
			metadata: { usage: { total_tokens: 20 } },
		});
		expect(json).not.toHaveProperty('answer_field');
	});

	test('on request, the item has thoughts and nodes, and the response has another name', async () => {
		const sim = await startApp({ mode: 'agent-chat', reply: () => SAMPLES.agentChat });
		const json = await sendMessageJson(sim, {
			mode: 'agent-chat',
			parameters: {
				options: {
					include: ['thoughts', 'workflow'],
					answerField: 'output',
				},
			},
		});
		expect(json).toMatchObject({
			output: 'Let me check. It is noon.',
			thoughts: [{ tool: 'time' }, {}],
		});
		for (const name of ['answer', 'workflow', 'reasoning']) expect(json).not.toHaveProperty(name);
		const flow = await startApp({ mode: 'advanced-chat', reply: () => SAMPLES.chatflow });
		expect(
			await sendMessageJson(flow, {
				mode: 'advanced-chat',
				parameters: { options: { include: ['workflow'] } },
			}),
		).toMatchObject({ workflow: { status: 'succeeded', nodes: [{ title: 'Start' }] } });
	});

	test.each<{ forms: Array<{ nodeTitle: string; token?: null }>; hints: RegExp[] }>([
		{ forms: [{ nodeTitle: 'Approve' }], hints: [/waits for a person \(Approve\).*yes/] },
		{ forms: [{ nodeTitle: 'Mail', token: null }], hints: [/"Mail" has no token.*by email only/] },
		{
			forms: [{ nodeTitle: 'Approve' }, { nodeTitle: 'Mail', token: null }],
			hints: [/"Mail" has no token/, /waits for a person \(Approve\)/],
		},
		{ forms: [], hints: [/The run has not ended: it waits in Dify/] },
	])('a pause with the forms $forms is told in a chat', async ({ forms, hints }) => {
		const pause = forms.map((form, index) => ({
			nodeId: `h${index}`,
			content: 'Ok?',
			actions: [{ id: 'yes', title: 'Yes' }],
			...form,
		}));
		const sim = await startApp({
			mode: 'advanced-chat',
			reply: () => ({ steps: [{ text: 'One moment.' }, { pause }] }),
		});
		const fake = prepare(sim, { mode: 'advanced-chat' });
		await execute(fake);
		expect(fake.hints.map(({ message }) => message)).toEqual(
			hints.map((hint) => expect.stringMatching(hint) as string),
		);
	});

	test('a paused chatflow returns its forms, or fails on request', async () => {
		const pause = [
			{
				nodeId: 'h1',
				nodeTitle: 'Approve',
				content: 'Ok?',
				actions: [{ id: 'yes', title: 'Yes' }],
			},
		];
		const sim = await startApp({
			mode: 'advanced-chat',
			reply: () => ({ steps: [{ text: 'One moment.' }, { pause }] }),
		});
		expect(await sendMessageJson(sim, { mode: 'advanced-chat' })).toMatchObject({
			status: 'paused',
			answer: 'One moment.',
			// For the operations of Dify Workflow's resource Form.
			forms: [{ nodeTitle: 'Approve', formToken: expect.any(String) as string }],
			workflowRunId: sim.runs[0]!.workflowRunId,
		});
		expect(
			await sendMessageJson(sim, { mode: 'advanced-chat', parameters: { simplify: false } }),
		).toMatchObject({
			event: 'workflow_paused',
			data: { forms: [{ node_title: 'Approve' }] },
		});
		const error = await sendMessageError(sim, {
			mode: 'advanced-chat',
			parameters: { options: { onPause: 'error' } },
		});
		expect(error.message).toContain('is waiting for human input (Approve)');
		expect(error.context.data).toMatchObject({
			answer: 'One moment.',
			workflowRunId: sim.runs[2]!.workflowRunId,
		});
	});

	const APPROVE = {
		nodeId: 'h1',
		nodeTitle: 'Approve',
		content: 'Ok?',
		actions: [{ id: 'yes', title: 'Yes' }],
	};

	test.each([
		['its buttons', {}, /waits for a person \(Approve\).* one of its buttons: yes\.$/],
		['no buttons', { actions: [] }, /waits for a person \(Approve\).*\(Form: Submit\)\.$/],
		['its email', { token: null }, /^The form "Approve" has no token: it is sent by email only/],
	])('a paused chatflow has a hint with %s', async (_name, form, hint) => {
		const pause = [{ ...APPROVE, ...form }];
		const sim = await startApp({ mode: 'advanced-chat', reply: () => ({ steps: [{ pause }] }) });
		const fake = prepare(sim, { mode: 'advanced-chat' });
		await execute(fake);
		expect(fake.hints.map(({ message }) => message)).toEqual([expect.stringMatching(hint)]);
	});

	test.each([
		['without a text', [], 'This request waits for human input, so there is no response yet.'],
		['with blanks only', [{ text: ' \n' }], /^\s*This request waits for human input/],
		['with a text', [{ text: 'One moment.' }], 'One moment.'],
	])('a chatflow that pauses %s leaves no chat empty', async (_name, texts, shown) => {
		const reply = () => ({ steps: [...texts, { pause: [APPROVE] }] });
		const sim = await startApp({ mode: 'advanced-chat', reply });
		const fake = prepare(sim, { mode: 'advanced-chat', streaming: true });
		const [item] = await execute(fake);
		const expected: unknown = typeof shown === 'string' ? shown : expect.stringMatching(shown);
		expect(getStreamedText(fake)).toEqual(expected);
		expect(item!.json.answer).not.toContain('waits');
	});

	test('a partial success and a restarted conversation are hints', async () => {
		const sim = await startApp({
			mode: 'advanced-chat',
			reply: () => ({ steps: [{ text: 'ok' }], exceptions: 1 }),
		});
		const fake = prepare(sim, {
			mode: 'advanced-chat',
			parameters: {
				...inConversation(UNKNOWN_ID),
				options: { onStaleConversation: 'startNew' },
			},
		});
		const [item] = await execute(fake);
		expect(item!.json).toMatchObject({ status: 'partial-succeeded', conversationRestarted: true });
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('1 workflow node(s)'),
			expect.stringContaining('a new one was started'),
		]);
	});
});

describe('a text that is only the start of a tag is complete', () => {
	test('if the stream ends early: in the error, or from the record of the run', async () => {
		const lostStream = { stream: { cut: { events: 2, how: 'reset' as const } } };
		const chat = await startApp({ mode: 'chat', reply: () => [...'<th'] }, lostStream);
		const [error] = await execute(prepare(chat, { continueOnFail: true }));
		expect(error!.json.error).toMatchObject({ answer: '<t' });
		const flow = await startApp({ mode: 'advanced-chat', reply: () => [...'<th'] }, lostStream);
		const fake = prepare(flow, { mode: 'advanced-chat', streaming: true });
		const [item] = await execute(fake);
		expect(item!.json.answer).toBe('<th');
		expect(getStreamedText(fake)).toBe('<th');
	});

	test('if the run is stopped', async () => {
		const steps = [...toSteps('<'), { wait: new Promise(() => undefined) }];
		const sim = await startApp({ mode: 'chat', reply: () => ({ steps }) });
		const controller = new AbortController();
		const fake = prepare(sim, { signal: controller.signal, continueOnFail: true });
		const running = execute(fake);
		await waitFor(() => sim.runs[0]?.events.length === 1);
		controller.abort();
		const [item] = await running;
		expect(item!.json.error).toMatchObject({ type: 'aborted', answer: '<' });
	});
});

test('Stop before the first item has started: Dify is not asked', async () => {
	const sim = await startApp({ mode: 'chat', reply: () => 'late' });
	const controller = new AbortController();
	const fake = prepare(sim, { signal: controller.signal, continueOnFail: true });
	const running = execute(fake);
	controller.abort();
	const [item] = await running;
	expect(item!.json.error).toMatchObject({ type: 'aborted' });
	expect(sim.runs).toEqual([]);
});

test.each([1, 3])(
	'many items: an error does not affect the other items with continue on fail (%i concurrently)',
	async (maxConcurrentItems) => {
		const steps: Step[] = [
			{ text: 'half' },
			{ error: { code: 'completion_request_error', status: 400, message: 'no more' } },
		];
		const sim = await startApp({
			mode: 'chat',
			reply: ({ query }) => (query === 'q1' ? { steps } : query),
		});
		const items = await execute(
			prepare(sim, {
				...createNumberedItems(4),
				continueOnFail: true,
				parameters: { options: { maxConcurrentItems } },
			}),
		);
		expect(items.map(({ json }) => json.answer)).toEqual(['q0', undefined, 'q2', 'q3']);
		const { taskId, conversationId, messageId } = sim.runs.find(({ query }) => query === 'q1')!;
		expect(items[1]).toEqual({
			json: {
				error: {
					message: 'no more',
					description: expect.stringMatching(
						/^Dify works, but the model provider returned an error/,
					) as string,
					serverText: 'no more',
					type: 'providerError',
					code: 'completion_request_error',
					status: 400,
					answer: 'half',
					url: `${sim.url}/chat-messages`,
					difyVersion: '1.16.0',
					retryable: false,
					taskId,
					conversationId,
					messageId,
				},
			},
			pairedItem: { item: 1 },
		});
	},
);
