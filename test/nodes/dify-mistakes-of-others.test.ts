/**
 * Mistakes that were found in another n8n package for Dify, area by area (contract section 10): a test for each that this package does not
 * make it. Many are tested closer elsewhere, too; here they stand together.
 */
import type { INodeProperties, INodeType } from 'n8n-workflow';

import { RUN_ROUTES, startRun } from '../../lib/dify/run';
import { DEFAULT_RUN_LIMITS } from '../../lib/dify/run-limits';
import { DifyChatMessage } from '../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../nodes/DifyFeedback/DifyFeedback.node';
import { waitFor } from '../lib/dify/ask';
import { UNKNOWN_ID, calls, clientOf, closeSims, failureOf, keyTest, startApp, startSim } from '../lib/dify/client';
import {
	PAGES,
	SAMPLES,
	SIM_VERSIONS,
	appKey,
	defaultApps,
	knowledgeKey,
	type DifySim,
	type Fault,
	type Json,
	type Reply,
	type Step,
} from '../servers/dify';
import type { ExecuteFake } from '../support/execute-context';
import { listen } from '../support/listening';
import { fs, http } from '../support/node';
import {
	errorIn,
	executeIn,
	executeNode,
	nodeErrorOf,
	numbered,
	prepareNode,
	type DifyNodeName,
	type Setup,
} from './dify';

afterEach(closeSims);

const NASTY = `<b>"bold"</b> & 'quoted' 你好 😀`;
const said = (...texts: string[]): Step[] => texts.map((text) => ({ text }));
const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });

const chat = async (sim: Pick<DifySim, 'url'>, setup?: Setup) => await executeNode('difyChatMessage', sim, setup);
const chatJson = async (sim: Pick<DifySim, 'url'>, setup?: Setup) => (await chat(sim, setup))[0]!.json;
const chatError = async (sim: Pick<DifySim, 'url'>, setup?: Setup) => await nodeErrorOf(chat(sim, setup));

/** What the chat shows so far. */
function shownIn({ chunks }: ExecuteFake): string {
	return chunks.map(({ content }) => content ?? '').join('');
}

function properties(node: INodeType): INodeProperties[] {
	return node.description.properties;
}

describe.each(SIM_VERSIONS)('with Dify %s', (version) => {
	test('Credential: the test fails with a wrong key, and passes with a knowledge key and with the key of an app that is not published', async () => {
		const sim = await startApp(version, { mode: 'advanced-chat', published: false });
		const test = async (apiKey: string, keyType = 'app') => await keyTest({ baseUrl: sim.url, apiKey, keyType });
		expect(await test(appKey('advanced-chat'))).toBe(200);
		expect(await test(knowledgeKey(), 'knowledge')).toBe(200);
		expect(await test(`app-${'Wrong'.repeat(5)}`)).toBe(401);
		expect(await test(knowledgeKey())).toBe(401);
		expect(await test(appKey('advanced-chat'), 'knowledge')).toBe(401);
	});

	test.each(['/v1', '/v1/', '', '/', '/v1//'])('Base URL: with "%s" at its end the path is right', async (end) => {
		const sim = await startSim({ version });
		await chat({ url: sim.origin + end });
		expect(sim.requests.map(({ url }) => url)).toEqual(['/v1/chat-messages']);
	});

	test('User: required and filled in, in every operation; without one nothing is sent', async () => {
		for (const node of [new DifyChatMessage(), new DifyFeedback(), new DifyConversation()]) {
			const users = properties(node).filter(({ name }) => name === 'user');
			expect(users.length).toBeGreaterThan(0);
			for (const user of users)
				expect(user).toMatchObject({ required: true, default: expect.stringMatching(/^=\{\{.+\}\}$/) as string });
		}
		const sim = await startSim({ version });
		const refused = async (name: DifyNodeName, parameters: Json) =>
			expect((await nodeErrorOf(executeNode(name, sim, { parameters: { ...parameters, user: '' } }))).message).toBe(
				'The user is empty',
			);
		await refused('difyChatMessage', {});
		for (const operation of ['rate', 'revoke']) await refused('difyFeedback', { operation, messageId: UNKNOWN_ID });
		for (const operation of ['getAll', 'rename', 'delete'])
			await refused('difyConversation', {
				resource: 'conversation',
				operation,
				conversationId: byId(UNKNOWN_ID),
				name: 'x',
			});
		for (const operation of ['getAll', 'getSuggested'])
			await refused('difyConversation', {
				resource: 'message',
				operation,
				conversationId: byId(UNKNOWN_ID),
				messageId: UNKNOWN_ID,
			});
		for (const operation of ['getAll', 'update'])
			await refused('difyConversation', {
				resource: 'variable',
				operation,
				conversationId: byId(UNKNOWN_ID),
				variableId: byId(UNKNOWN_ID),
				value: 'x',
			});
		expect(sim.requests).toHaveLength(0);
	});

	test('Mode: agents, which know no blocking mode, answer with the defaults of the node', async () => {
		const sim = await startSim({ version });
		for (const { mode } of defaultApps(version).filter((app) => app.mode.startsWith('agent')))
			expect(await chatJson(sim, { mode })).toMatchObject({ answer: 'You said: hi' });
		expect(new Set(sim.runs.map(({ responseMode }) => responseMode))).toEqual(new Set(['streaming']));
	});

	test('Text: query, inputs and feedback arrive as they are', async () => {
		const sim = await startApp(version, { mode: 'chat', form: [{ kind: 'paragraph', variable: 'about' }] });
		const { messageId, answer } = await chatJson(sim, { parameters: { query: NASTY, inputsJson: { about: NASTY } } });
		await executeNode('difyFeedback', sim, { parameters: { messageId, content: NASTY } });
		expect([sim.runs[0]!.query, sim.runs[0]!.inputs.about, sim.app('chat').feedbacks[0]!.content, answer]).toEqual([
			NASTY,
			NASTY,
			NASTY,
			`You said: ${NASTY}`,
		]);
	});

	test('Inputs: values keep their types, empty ones are sent, and {} is enough for every type of app', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			form: [
				{ kind: 'number', variable: 'days' },
				{ kind: 'checkbox', variable: 'terse' },
				{ kind: 'text-input', variable: 'note' },
				{ kind: 'json_object', variable: 'more' },
			],
		});
		const inputs = { days: 0, terse: false, note: '', more: { a: [1] } };
		await chat(sim, { parameters: { inputsJson: JSON.stringify(inputs) } });
		await chat(sim, { parameters: { inputsMode: 'form', inputs: { value: inputs } } });
		expect(sim.runs.map((run) => run.inputs)).toEqual([inputs, inputs]);
		const all = await startSim({ version });
		for (const mode of ['completion', 'workflow'] as const)
			expect((await startRun(clientOf(all, mode), RUN_ROUTES[mode], { inputs: {} }, 'u1')).status).toBe('succeeded');
	});

	const FILES: Pick<Setup, 'items' | 'stored'> = {
		items: [
			{
				json: {},
				binary: {
					inItem: { data: Buffer.from('png!').toString('base64'), mimeType: 'image/png', fileName: 'a.png' },
					inStore: { data: 'filesystem-v2', id: 'filesystem-v2:1', mimeType: 'application/pdf', fileName: 'b.pdf' },
				},
			},
		],
		stored: { 'filesystem-v2:1': new Uint8Array(12 * 1024 * 1024).fill(7) },
	};
	const withFiles = {
		...FILES,
		parameters: {
			files: {
				file: [
					{ source: 'all', type: 'auto' },
					{ source: 'url', url: 'https://example.com/c.png' },
				],
			},
		},
	};

	test('Files: each has the shape that Dify reads, with the id that Dify gave', async () => {
		const sim = await startSim({ version });
		await chat(sim, withFiles);
		const [png, pdf] = [...sim.store.files.keys()];
		expect((sim.requests.at(-1)!.json as Json).files).toEqual([
			{ type: 'image', transfer_method: 'local_file', upload_file_id: png },
			{ type: 'document', transfer_method: 'local_file', upload_file_id: pdf },
			{ type: 'image', transfer_method: 'remote_url', url: 'https://example.com/c.png' },
		]);
		expect(sim.runs[0]!.files).toHaveLength(3);
	});

	test('Upload: the part "file", the same user, a boundary, bytes from the item and from the store, and no limit of its own', async () => {
		const sim = await startSim({ version });
		await chat(sim, withFiles);
		const uploads = sim.requests.filter(({ path }) => path === '/files/upload');
		expect(uploads.map(({ upload }) => [upload!.fields, upload!.parts.map(({ name, size }) => [name, size])])).toEqual([
			[{ user: 'u1' }, [['file', 4]]],
			[{ user: 'u1' }, [['file', 12 * 1024 * 1024]]],
		]);
		for (const { headers } of uploads) expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=\S+$/);
		expect(Buffer.from([...sim.store.files.values()][0]!.content).toString()).toBe('png!');
	});

	test('Streaming: pieces are shown while Dify still writes; one item comes out for each that goes in', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			reply: () => ({ steps: [...said('Once ', '[DONE] '), { wait: 60_000 }, ...said('never')] }),
		});
		const fake: ExecuteFake = prepareNode('difyChatMessage', sim, { streaming: true });
		const running = executeIn('difyChatMessage', fake);
		await waitFor(() => shownIn(fake) === 'Once [DONE] ');
		expect(sim.runs[0]!.status).toBe('running');
		await clientOf(sim).send('POST', `/chat-messages/${sim.runs[0]!.taskId}/stop`, { user: 'u1' });
		expect((await running).map(({ json }) => json.answer)).toEqual(['Once [DONE] ']);
		expect([fake.chunks[0]!.type, fake.chunks.at(-1)!.type]).toEqual(['begin', 'end']);
	});

	test('Streaming: agent messages, replacements, text in message_file and workflow events count; an error is one', async () => {
		const answers: Array<[Setup['mode'], Reply, string]> = [
			['agent-chat', SAMPLES.agentChat, 'Let me check. It is noon.'],
			['chat', { steps: [...said('bad'), { replace: 'Withheld.' }] }, 'Withheld.'],
			['chat', { steps: [{ file: { type: 'image', url: '/a.png' } }, ...said('See ', 'this')] }, 'See this'],
			['advanced-chat', SAMPLES.chatflow, 'Hello'],
			['chat', { steps: [...said('a'), { raw: 'data: {broken\n\n' }, ...said('b')] }, 'ab'],
		];
		for (const [mode, reply, answer] of answers)
			expect(await chatJson(await startApp(version, { mode: mode!, reply: () => reply }), { mode })).toMatchObject({
				answer,
			});
		const failing = await startApp(version, {
			mode: 'chat',
			reply: () => ({
				steps: [...said('half'), { error: { code: 'completion_request_error', status: 400, message: 'no credits' } }],
			}),
		});
		expect((await chatError(failing)).message).toMatch(/^no credits/);
	});

	test('Streaming of completion and workflow: read by the same reader, in whatever pieces it comes', async () => {
		const sim = await startSim({ version, stream: { bytesPerWrite: 7, crlf: true } });
		expect(
			await startRun(clientOf(sim, 'completion'), RUN_ROUTES.completion, { inputs: {}, query: 'hi' }, 'u1'),
		).toMatchObject({ status: 'succeeded', text: 'You said: hi' });
		expect(await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1')).toMatchObject({
			status: 'succeeded',
			text: 'You said: ',
		});
		expect(sim.runs.map(({ responseMode }) => responseMode)).toEqual(['streaming', 'streaming']);
	});

	test('Workflow result: partial success is one, failure with status 200 is none, and nothing is polled', async () => {
		const reply = ({ inputs }: { inputs: Json }): Reply => ({
			steps: said('x'),
			...(inputs.fail === true ? { fail: 'boom' } : { exceptions: 1 }),
		});
		for (const stream of [{}, { blockingInstead: true }]) {
			const sim = await startApp(
				version,
				{ mode: 'workflow', reply, form: [{ kind: 'checkbox', variable: 'fail' }] },
				{ stream },
			);
			const run = async (fail: boolean) =>
				await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: { fail } }, 'u1');
			expect(await run(false)).toMatchObject({ status: 'partial-succeeded', text: 'x' });
			expect((await failureOf(run(true))).message).toContain('boom');
			expect(sim.requests.map(({ path }) => path)).toEqual(['/workflows/run', '/workflows/run']);
		}
	});

	test('Stop: by the task id as Dify gives it, with the user in a JSON body', async () => {
		const sim = await startApp(version, { mode: 'chat', reply: () => ({ steps: [...said('a'), { wait: 60_000 }] }) });
		const controller = new AbortController();
		const fake = prepareNode('difyChatMessage', sim, {
			signal: controller.signal,
			streaming: true,
			parameters: { user: 'anna' },
		});
		const running = nodeErrorOf(executeIn('difyChatMessage', fake));
		await waitFor(() => shownIn(fake) === 'a');
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

	test('Invented routes: Dify has every route that the nodes ask for', async () => {
		const apps = defaultApps(version).map((app) => ({
			...app,
			suggestedQuestions: ['Why?'],
			...(app.mode === 'advanced-chat' ? { variables: [{ name: 'lang', valueType: 'string', value: 'en' }] } : {}),
		}));
		const sim = await startSim({ version, apps });
		const mode = 'advanced-chat';
		const { messageId, conversationId } = await chatJson(sim, { mode, parameters: { conversation: 'latest' } });
		await chat(sim, { ...withFiles, mode });
		const feedback = async (operation: string) =>
			await executeNode('difyFeedback', sim, { mode, parameters: { operation, messageId } });
		for (const operation of ['rate', 'getAll', 'revoke']) await feedback(operation);
		const manage = async (resource: string, operation: string, more: Json = {}) =>
			await executeNode('difyConversation', sim, {
				mode,
				parameters: { resource, operation, conversationId: byId(conversationId), messageId, ...more },
			});
		await manage('conversation', 'getAll');
		await manage('conversation', 'rename', { name: 'x' });
		await manage('conversation', 'rename', { autoGenerate: true });
		await manage('message', 'getAll');
		await manage('message', 'getSuggested');
		await manage('variable', 'getAll');
		await manage('variable', 'update', { variableId: { __rl: true, mode: 'name', value: 'lang' }, value: 'de' });
		await manage('conversation', 'delete');
		expect(sim.requests.filter(({ status }) => status === undefined || status >= 300).map(({ url }) => url)).toEqual(
			[],
		);
		const routes = sim.requests.map(({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/g, ':id')}`);
		expect([...new Set(routes)].sort()).toEqual([
			'DELETE /conversations/:id',
			'GET /app/feedbacks',
			'GET /conversations',
			'GET /conversations/:id/variables',
			'GET /messages',
			'GET /messages/:id/suggested',
			'GET /parameters',
			'POST /chat-messages',
			'POST /conversations/:id/name',
			'POST /files/upload',
			'POST /messages/:id/feedbacks',
			'PUT /conversations/:id/variables/:id',
		]);
	});

	test('Feedback: can be taken back, and the message of somebody else is told as that', async () => {
		const sim = await startSim({ version });
		const { messageId } = await chatJson(sim);
		const rate = async (parameters: Json) =>
			(await executeNode('difyFeedback', sim, { parameters: { messageId, ...parameters } }))[0]!.json;
		expect(await rate({ rating: 'dislike', content: 'too long' })).toMatchObject({
			rating: 'dislike',
			content: 'too long',
		});
		expect(await rate({ rating: 'none' })).toMatchObject({ rating: null, success: true });
		expect(sim.app('chat').feedbacks).toEqual([]);
		const failed = await nodeErrorOf(rate({ user: 'somebody else' }));
		expect(failed.message).toContain('Message Not Exists.');
		expect(failed.description).toContain('user');
	});

	test('Retry: a message that may have begun is never sent twice', async () => {
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
			{ how: 'silence' },
		];
		for (const fault of faults) {
			const sim = await startSim({ version });
			sim.fail({ ...fault, times: 9 });
			await chatError(sim, {
				parameters: { options: { maxRetries: 9, firstByteLimit: fault.how === 'silence' ? 0.4 : 60 } },
			});
			expect({ fault, sent: calls(sim, '/chat-messages') }).toEqual({ fault, sent: 1 });
		}
		const cut = await startApp(
			version,
			{ mode: 'chat', reply: () => ['a', 'b'] },
			{ stream: { cut: { events: 1, how: 'reset' } } },
		);
		expect((await chatError(cut, { parameters: { options: { maxRetries: 9 } } })).message).toContain('ended early');
		expect(calls(cut, '/chat-messages')).toBe(1);
	});

	test('Timeout: limits hold inside the stream as well, and none is set to the whole run unless it is asked for', async () => {
		const options = properties(new DifyChatMessage()).find(({ name }) => name === 'options')!
			.options as INodeProperties[];
		const limits = options.filter(({ name }) => name.endsWith('Limit'));
		expect(Object.fromEntries(limits.map(({ name, default: preset }) => [name, preset]))).toEqual({
			firstByteLimit: 120,
			idleLimit: 60,
			progressLimit: 600,
			totalLimit: 0,
		});
		for (const { typeOptions } of limits) expect(typeOptions).not.toHaveProperty('maxValue');
		expect(DEFAULT_RUN_LIMITS.totalMs).toBe(0);
		const sim = await startApp(
			version,
			{ mode: 'chat', reply: () => ({ steps: [...said('a'), { wait: 60_000 }] }) },
			{ stream: { pingEveryMs: 5 } },
		);
		for (const limit of ['progressLimit', 'totalLimit']) {
			const failed = await chatError(sim, { parameters: { options: { [limit]: 1.5 } } });
			expect(failed.context.data).toMatchObject({ kind: 'timeout', answer: 'a', stopRequested: true });
		}
	});

	test('Errors: code, status, text and ids are in the error, and in the item where the node goes on', async () => {
		const refuse = { status: 400, code: 'provider_quota_exceeded', message: 'Your quota has been exhausted.' };
		const sim = await startApp(version, {
			mode: 'chat',
			reply: ({ query }) => (query === 'q1' ? { steps: [], refuse } : query),
		});
		const items = await chat(sim, { ...numbered(3), continueOnFail: true });
		expect(items.map(({ json }) => json.answer)).toEqual(['q0', undefined, 'q2']);
		expect(errorIn(items[1]!)).toMatchObject({
			code: refuse.code,
			status: 400,
			kind: 'providerQuota',
			message: expect.stringMatching(/^Your quota has been exhausted\./) as string,
		});
		const failed = await chatError(sim, { parameters: { query: 'q1' } });
		expect(failed.message).toContain(refuse.message);
		expect(failed.context.data).toMatchObject({ code: refuse.code, status: 400 });
	});

	test('Output: ids and usage are always there, and each item is paired with its own', async () => {
		const sim = await startSim({ version });
		for (const simplify of [true, false]) {
			const items = await chat(sim, { ...numbered(2), parameters: { simplify } });
			expect(items.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
			const { conversationId, messageId, taskId } = sim.runs.at(-1)!;
			const usage = expect.objectContaining({ total_tokens: 20 }) as object;
			expect(items[1]!.json).toMatchObject(
				simplify
					? { conversationId, messageId, taskId, usage }
					: { conversation_id: conversationId, message_id: messageId, task_id: taskId, metadata: { usage } },
			);
		}
	});
});

test('Auth: each request has the key once', async () => {
	const sent: Array<[string, string[]]> = [];
	const server = http.createServer((request, response) => {
		const names = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
		sent.push([request.url!, names.filter((name) => name === 'authorization')]);
		request.resume();
		request.on('end', () => {
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify({ id: UNKNOWN_ID, answer: 'ok', file_upload: { enabled: true } }));
		});
	});
	const url = `http://127.0.0.1:${await listen(server)}/v1`;
	const items = [{ json: {}, binary: { data: { data: 'eA==', mimeType: 'text/plain', fileName: 'a.txt' } } }];
	expect(await chatJson({ url }, { items, parameters: { files: { file: [{ source: 'all' }] } } })).toMatchObject({
		answer: 'ok',
	});
	await closeSims();
	server.close();
	expect(sent).toEqual(
		['/v1/parameters', '/v1/files/upload', '/v1/chat-messages'].map((path) => [path, ['authorization']]),
	);
});

test('Packaging: no runtime dependencies, one name, no form of key that is demanded', async () => {
	const manifest = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { name: string; dependencies?: object };
	expect(manifest.dependencies).toBeUndefined();
	expect(fs.readFileSync('README.md', 'utf8')).toMatch(new RegExp(`^# ${manifest.name}\n`));
	const key = 'old key';
	const sim = await startSim({ apps: [{ mode: 'chat', key }] });
	expect(await chatJson(sim, { credentials: { baseUrl: sim.url, apiKey: key, keyType: 'app' } })).toMatchObject({
		answer: 'You said: hi',
	});
});
