/** Combinations of unusual conditions in long use of Dify. */
import type { IExecuteFunctions } from 'n8n-workflow';

import { waitFor } from '../../../lib/dify/wait-for';
import { UNKNOWN_ID, startApp, startSim } from '../../../lib/dify/client';
import { type FormField, type Step } from '../../../simulators/dify';
import { listen } from '../../../support/listen';
import * as http from 'node:http';
import {
	byId,
	sendMessages,
	sendMessageError,
	sendMessageJson,
	getItemError,
	executePrepared,
	executeNode,
	getNodeError,
	createNumberedItems,
	prepareNode,
	toSteps,
} from '../../dify';

const textFile = (data: string) => [
	{ json: {}, binary: { data: { data, mimeType: 'text/plain', fileName: 'a.txt' } } },
];
const ALL_FILES = { files: { file: [{ source: 'all', type: 'auto' }] } };

describe('streams', () => {
	test.each(['chat', 'agent-chat', 'advanced-chat'] as const)(
		'%s byte by byte with CRLF, pings, and speech after the end',
		async (mode) => {
			const texts = ['Hé 你', '好 😀'];
			const steps: Step[] = [
				...(mode === 'agent-chat' ? [{ round: { chunks: texts } }] : toSteps(...texts)),
				{ tts: 'AAEC' },
			];
			const sim = await startApp(
				{ mode, reply: () => ({ steps, trailingAudio: ['AwQF'] }) },
				{ stream: { bytesPerWrite: 1, crlf: true, pingBeforeEach: true, omitFinalBlank: true } },
			);
			const fake = prepareNode('difyChatMessage', sim, {
				mode,
				streaming: true,
			});
			const [item] = await executePrepared('difyChatMessage', fake);
			expect(item!.json.answer).toBe('Hé 你好 😀');
			expect(fake.chunks.map(({ content }) => content ?? '').join('')).toBe('Hé 你好 😀');
		},
	);
});

describe('many items', () => {
	test('in a chat, streamed text stays after an error, the error is shown, and the next item starts a new message', async () => {
		const error: Step = { error: { status: 400, code: 'completion_request_error', message: 'no' } };
		const sim = await startApp({
			mode: 'chat',
			reply: ({ query }) => (query === 'q1' ? { steps: [...toSteps('half'), error] } : query),
		});
		const fake = prepareNode('difyChatMessage', sim, {
			...createNumberedItems(3),
			streaming: true,
			continueOnFail: true,
		});
		const items = await executePrepared('difyChatMessage', fake);
		expect(fake.chunks.map(({ type, itemIndex }) => `${itemIndex} ${type}`)).toEqual([
			'0 begin',
			'0 item',
			'0 end',
			'1 begin',
			'1 item',
			// A line end.
			'1 item',
			'1 error',
			'2 begin',
			'2 item',
			'2 end',
		]);
		expect(items.map((item) => item.json.answer ?? getItemError(item)?.answer)).toEqual([
			'q0',
			'half',
			'q2',
		]);
	});
});

describe('20 items, 8 concurrently', () => {
	test('each has its own response or error, in order, and is sent once', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'number', variable: 'days' }],
			reply: ({ query }) => {
				const at = Number(query.slice(1));
				if (at % 5 === 1)
					return {
						steps: [
							...toSteps(`half ${at}`),
							{ error: { code: 'completion_request_error', status: 400, message: `no ${at}` } },
						],
					};
				return { steps: [{ wait: (at * 7) % 20 }, ...toSteps(`answer ${at}`)] };
			},
		});
		const { items, perItem } = createNumberedItems(20);
		// Each fifth: fine, fails in the middle, has no user, has inputs that Dify rejects, names a conversation that
		// is missing.
		const odd = [
			{},
			{},
			{ user: null },
			{ inputsJson: '{"days":"many"}' },
			{ conversation: 'byId', conversationId: byId(UNKNOWN_ID) },
		];
		const all = await sendMessages(sim, {
			items,
			perItem: perItem.map((each, at) => ({ ...each, ...odd[at % 5] })),
			continueOnFail: true,
			parameters: { options: { maxConcurrentItems: 8 } },
		});
		expect(all.map(({ pairedItem }) => pairedItem)).toEqual(items.map((_, at) => ({ item: at })));
		const results = all.map((item) => [
			item.json.answer ?? getItemError(item)!.type,
			getItemError(item)?.answer,
		]);
		expect(results).toEqual(
			items
				.map(
					(_, at) =>
						[
							[`answer ${at}`, undefined],
							['providerError', `half ${at}`],
							['missingUser', undefined],
							['invalidParam', undefined],
							['conversationNotFound', undefined],
						][at % 5]!,
				)
				.map(([kind, half], at) => [at % 5 === 3 ? 'invalidInputs' : kind, half]),
		);
		expect(sim.requests.filter(({ path }) => path === '/chat-messages')).toHaveLength(16);
	});
});

describe('the latest conversation', () => {
	const latest = { conversation: 'latest' };

	test('is an error if it cannot be looked up, since a new one would lose the history', async () => {
		const sim = await startSim();
		for (const fault of [
			{
				status: 500,
				body: '{"code":"unknown","message":"Internal Server Error","status":500}',
				contentType: 'application/json',
			},
			{ status: 200, body: '<html></html>' },
		]) {
			sim.fail({ path: '/conversations', ...fault });
			await sendMessageError(sim, { parameters: latest });
		}
		expect(sim.runs).toHaveLength(0);
	});

	test('can be restarted if it is deleted between the lookup and the message', async () => {
		const sim = await startSim();
		const { conversationId } = await sendMessageJson(sim);
		const { store } = sim;
		const find = store.conversationOf.bind(store);
		store.conversationOf = (app, id, user) =>
			id === conversationId ? undefined : find(app, id, user);
		expect((await sendMessageError(sim, { parameters: latest })).message).toBe(
			'Dify cannot find the conversation',
		);
		expect(
			await sendMessageJson(sim, {
				parameters: { ...latest, options: { onStaleConversation: 'startNew' } },
			}),
		).toMatchObject({ conversationRestarted: true });
	});
});

describe('Stop', () => {
	test('between the upload and the run starts no run', async () => {
		const sim = await startSim();
		const controller = new AbortController();
		const fake = prepareNode('difyChatMessage', sim, {
			signal: controller.signal,
			items: textFile('eA=='),
			parameters: ALL_FILES,
		});
		const { files } = sim.store;
		const keep = files.set.bind(files);
		files.set = (id, file) => {
			// Dify has the file, and the node has no response yet: later the run may have started.
			controller.abort();
			return keep(id, file);
		};
		expect((await getNodeError(executePrepared('difyChatMessage', fake))).message).toMatch(
			/stopped|cancelled/,
		);
		expect(files.size).toBe(1);
		expect(sim.runs).toHaveLength(0);
	});

	test.each([
		['difyConversation', { resource: 'conversation', operation: 'getAll', returnAll: true }],
		['difyConversation', { resource: 'message', operation: 'getSuggested', messageId: UNKNOWN_ID }],
		[
			'difyConversation',
			{ resource: 'variable', operation: 'getAll', conversationId: byId(UNKNOWN_ID) },
		],
		['difyFeedback', { operation: 'getAll', returnAll: true }],
		['difyFeedback', { operation: 'rate', messageId: UNKNOWN_ID }],
	] as const)('ends the wait of %s: %j', async (name, parameters) => {
		const sim = await startSim();
		sim.fail({ how: 'silence', times: 9 });
		const controller = new AbortController();
		const running = getNodeError(executeNode(name, sim, { parameters, signal: controller.signal }));
		await waitFor(() => sim.requests.length === 1);
		controller.abort();
		expect((await running).message).toContain('The execution was stopped');
		expect(sim.requests).toHaveLength(1);
	});
});

describe('redirects to another URL, as from http to https', () => {
	let server: http.Server | undefined;
	afterEach(() => {
		server?.close();
		server?.closeAllConnections();
	});

	test.each([301, 302, 307, 308])(
		'%i reports the target, and is not treated as a wrong key',
		async (status) => {
			const sim = await startSim();
			const target = sim.url.replace('127.0.0.1', 'localhost');
			server = http.createServer((request, response) => {
				request.resume();
				response.writeHead(status, { location: `${target}${request.url!.slice(3)}` });
				response.end('<html><title>Moved</title></html>');
			});
			const url = `http://127.0.0.1:${await listen(server)}/v1`;
			// A run, a question before it, and an upload.
			for (const setup of [
				{},
				{ parameters: { conversation: 'latest' } },
				{ items: textFile('eA=='), parameters: ALL_FILES },
			]) {
				const failed = await sendMessageError({ url }, setup);
				expect(failed.description).toContain(`redirects this request to ${target}/`);
				expect(failed.description).toContain('set the Base URL to that address');
				expect(failed.context.data).toMatchObject({ type: 'unexpectedRedirect' });
			}
			expect(sim.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
			expect(sim.runs).toHaveLength(0);
		},
	);
});

describe('the form of the app', () => {
	test('without a filled-in input is checked by Dify', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'text-input', variable: 'city', required: true }],
		});
		for (const inputs of [{}, { value: null }, { value: {} }, null]) {
			expect(
				(await sendMessageError(sim, { parameters: { inputsMode: 'form', inputs } })).message,
			).toContain('The input "city" is required');
		}
		expect(
			await sendMessageJson(sim, {
				parameters: { inputsMode: 'form', inputs: { value: { city: '' } } },
			}),
		).toMatchObject({
			answer: 'You said: hi',
		});
	});

	test('uploads no file if one of the form or of Files is rejected', async () => {
		const form: FormField[] = [
			{ kind: 'file', variable: 'picture', allowedTypes: ['image'] },
			{ kind: 'file-list', variable: 'papers', allowedTypes: ['document'] },
		];
		const sim = await startApp({
			mode: 'chat',
			form,
			fileUpload: { enabled: true, types: ['image'] },
		});
		const items = [
			{
				json: {},
				binary: {
					png: { data: 'eA==', mimeType: 'image/png', fileName: 'a.png' },
					txt: { data: 'eA==', mimeType: 'text/plain', fileName: 'b.txt' },
				},
			},
		];
		const send = async (value: object, beside: string) =>
			await sendMessageError(sim, {
				items,
				parameters: {
					inputsMode: 'form',
					inputs: { value },
					files: { file: [{ source: 'binary', binaryProperty: beside }] },
				},
			});
		expect((await send({ picture: 'png', papers: 'none' }, 'png')).message).toContain(
			"no binary field 'none'",
		);
		expect(sim.requests.filter(({ path }) => path === '/files/upload')).toHaveLength(0);
	});

	test('derives the transfer method of a file object from its other fields', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'file', variable: 'picture', allowedTypes: ['image'] }],
		});
		const send = (picture: object) => ({
			parameters: { inputsMode: 'form', inputs: { value: { picture } } },
		});
		await sendMessages(sim, send({ type: 'image', url: 'https://example.com/a.png' }));
		expect(sim.runs[0]!.inputs.picture).toMatchObject({
			transfer_method: 'remote_url',
			remote_url: 'https://example.com/a.png',
		});
		expect(
			(await sendMessageError(sim, send({ type: 'image', upload_file_id: UNKNOWN_ID }))).message,
		).toContain('Invalid upload file');
		expect((await sendMessageError(sim, send({ type: 'image' }))).message).toBe(
			'A file in the inputs has neither url nor upload_file_id',
		);
	});
});

describe('the item of a message', () => {
	test("has Dify's fields of a pause without Simplify", async () => {
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
			reply: () => ({ steps: [...toSteps('One moment.'), { pause }] }),
		});
		const { data, ...json } = await sendMessageJson(sim, {
			mode: 'advanced-chat',
			parameters: { simplify: false },
		});
		expect(json).toMatchObject({
			event: 'workflow_paused',
			status: 'paused',
			answer: 'One moment.',
		});
		expect(data).toMatchObject({
			workflow_run_id: sim.runs[0]!.workflowRunId,
			paused_nodes: ['h1'],
			reasons: [{ TYPE: 'human_input_required' }],
			forms: [
				{
					node_id: 'h1',
					node_title: 'Approve',
					form_content: 'Ok?',
					form_token: expect.any(String) as string,
					actions: [{ id: 'yes' }],
				},
			],
		});
		expect(JSON.stringify(data)).not.toMatch(/nodeTitle|pausedNodes|workflowRunId/);
	});

	test('a chat that cannot receive text stops the run, and the error has the reason', async () => {
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [...toSteps('a'), { wait: 60_000 }] }),
		});
		const fake = prepareNode('difyChatMessage', sim, { streaming: true });
		const sendChunk: IExecuteFunctions['sendChunk'] = async (type) =>
			await (type === 'item' ? Promise.reject(new Error('write after end')) : Promise.resolve());
		Object.assign(fake.context, { sendChunk });
		const failed = await getNodeError(executePrepared('difyChatMessage', fake));
		expect(failed.description).toContain('the response could not be passed on: write after end');
		expect(failed.context.data).toMatchObject({ answer: 'a', stopRequested: true });
		expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, hit: true }]);
	});
});
