import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import { SAMPLES, SIM_VERSIONS, appKey, type DifySim, type FormField, type Step } from '../../servers/dify';
import { waitFor } from '../../lib/dify/ask';
import { UNKNOWN_ID, calls, closeSims, startApp, startSim } from '../../lib/dify/client';
import type { ExecuteFake } from '../../support/execute-context';
import { delay } from '../../support/node';
import { errorIn, executeIn, executeNode, nodeErrorOf, numbered, prepareNode, type Setup } from '../dify';

afterEach(closeSims);

const prepare = (sim: Pick<DifySim, 'url'>, setup?: Setup) => prepareNode('difyChatMessage', sim, setup);
const execute = async (fake: ExecuteFake): Promise<INodeExecutionData[]> => await executeIn('difyChatMessage', fake);
const jsonOf = async (sim: Pick<DifySim, 'url'>, setup?: Setup) =>
	(await executeNode('difyChatMessage', sim, setup))[0]!.json;
const errorOf = async (sim: Pick<DifySim, 'url'>, setup?: Setup): Promise<NodeOperationError> =>
	await nodeErrorOf(executeNode('difyChatMessage', sim, setup));

describe.each(SIM_VERSIONS)('output, %s', (version) => {
	test('case 13: answer, ids and usage; prices stay text', async () => {
		const usage = { prompt_tokens: 2, total_tokens: 3, total_price: '0.0000010', currency: 'USD' };
		const resources = [{ document_name: 'a.pdf', content: 'x' }];
		const sim = await startApp(version, {
			mode: 'chat',
			reply: () => ({ steps: [{ text: 'Hello' }], usage, resources }),
		});
		const run = () => sim.runs[0]!;
		expect(await jsonOf(sim)).toEqual({
			answer: 'Hello',
			conversationId: run().conversationId,
			messageId: run().messageId,
			taskId: run().taskId,
			user: 'u1',
			status: 'succeeded',
			usage,
			retrieverResources: resources,
			files: [],
			createdAt: run().startedAt,
		});
	});

	test("raw: Dify's own words, as a blocking answer would have them", async () => {
		const sim = await startApp(version, { mode: 'advanced-chat', reply: () => SAMPLES.chatflow });
		const json = await jsonOf(sim, { mode: 'advanced-chat', parameters: { simplify: false } });
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

	test('on request: thoughts, nodes, events, and the field for the answer', async () => {
		const sim = await startApp(version, { mode: 'agent-chat', reply: () => SAMPLES.agentChat });
		const json = await jsonOf(sim, {
			mode: 'agent-chat',
			parameters: { options: { include: ['thoughts', 'events', 'workflow', 'reasoning'], answerField: 'output' } },
		});
		expect(json).toMatchObject({
			output: 'Let me check. It is noon.',
			thoughts: [{ tool: 'time' }, {}],
			workflow: null,
			reasoning: '',
		});
		expect(json.events).toEqual(sim.runs[0]!.events);
		expect(json).not.toHaveProperty('answer');
		const flow = await startApp(version, { mode: 'advanced-chat', reply: () => SAMPLES.chatflow });
		expect(
			await jsonOf(flow, { mode: 'advanced-chat', parameters: { options: { include: ['workflow'] } } }),
		).toMatchObject({ workflow: { status: 'succeeded', nodes: [{ title: 'Start' }] } });
	});

	test('speech as binary data', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			reply: () => ({ steps: [{ text: 'Hi' }, { tts: 'AAEC' }], trailingAudio: ['AwQF'] }),
		});
		const [item] = await execute(prepare(sim, { parameters: { options: { include: ['audio'] } } }));
		expect(item!.binary).toEqual({ audio: { data: 'AAECAwQF', fileName: 'answer.mp3', mimeType: 'audio/mpeg' } });
		const [silent] = await execute(prepare(sim));
		expect(silent!.binary).toBeUndefined();
	});

	test('case 60: a paused chatflow gives its forms, or fails on request', async () => {
		if (version === '1.12') return expect(version).toBe('1.12');
		const pause = [{ nodeId: 'h1', nodeTitle: 'Approve', content: 'Ok?', actions: [{ id: 'yes', title: 'Yes' }] }];
		const sim = await startApp(version, {
			mode: 'advanced-chat',
			reply: () => ({ steps: [{ text: 'One moment.' }, { pause }] }),
		});
		expect(await jsonOf(sim, { mode: 'advanced-chat' })).toMatchObject({
			status: 'paused',
			answer: 'One moment.',
			pause: { forms: [{ nodeTitle: 'Approve' }] },
			workflowRunId: sim.runs[0]!.workflowRunId,
		});
		expect(await jsonOf(sim, { mode: 'advanced-chat', parameters: { simplify: false } })).toMatchObject({
			event: 'workflow_paused',
			data: { forms: [{ node_title: 'Approve' }] },
		});
		const failed = await errorOf(sim, { mode: 'advanced-chat', parameters: { options: { onPause: 'error' } } });
		expect(failed.message).toContain('waits for a person (Approve)');
		expect(failed.context.data).toMatchObject({ answer: 'One moment.', workflowRunId: sim.runs[2]!.workflowRunId });
	});

	test('what should be known is a hint: partial success, stopped, restarted', async () => {
		const sim = await startApp(version, {
			mode: 'advanced-chat',
			reply: () => ({ steps: [{ text: 'ok' }], exceptions: 1 }),
		});
		const fake = prepare(sim, {
			mode: 'advanced-chat',
			parameters: {
				conversation: 'byId',
				conversationId: { __rl: true, mode: 'id', value: UNKNOWN_ID },
				options: { onStaleConversation: 'startNew' },
			},
		});
		const [item] = await execute(fake);
		expect(item!.json).toMatchObject({ status: 'partial-succeeded', conversationRestarted: true });
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('1 node(s)'),
			expect.stringContaining('a new one was started'),
		]);
	});
});

describe('what is sent', () => {
	test('case 18: the query as it is, whatever its type', async () => {
		const sim = await startSim();
		await jsonOf(sim, { parameters: { query: '<b>"&\'</b> 你好 😀' } });
		await jsonOf(sim, { parameters: { query: 42 } });
		await jsonOf(sim, { parameters: { query: { a: 1 } } });
		expect(sim.runs.map(({ query }) => query)).toEqual(['<b>"&\'</b> 你好 😀', '42', '{"a":1}']);
		expect((await errorOf(sim, { parameters: { query: '' } })).message).toBe('The query is empty');
		expect((await errorOf(sim, { parameters: { query: undefined } })).message).toBe('The query is empty');
	});

	test('case 15: a user is demanded', async () => {
		const sim = await startSim();
		const failed = await errorOf(sim, { parameters: { user: '' } });
		expect(failed.message).toBe('The user is empty');
		expect(failed.description).toContain('Give the user');
		expect(sim.requests).toHaveLength(0);
	});

	test.each(SIM_VERSIONS)(
		'case 21: an empty conversation ID starts a new one, a malformed one is refused (%s)',
		async (version) => {
			const sim = await startSim({ version });
			for (const value of ['', ' ', null, undefined])
				await jsonOf(sim, { parameters: { conversation: 'byId', conversationId: { __rl: true, mode: 'id', value } } });
			expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(4);
			expect(
				(
					await errorOf(sim, {
						parameters: { conversation: 'byId', conversationId: { __rl: true, mode: 'id', value: 'abc' } },
					})
				).message,
			).toContain('conversation ID is not valid');
		},
	);

	test('a stale conversation is advice', async () => {
		const sim = await startSim();
		const failed = await errorOf(sim, {
			parameters: { conversation: 'byId', conversationId: { __rl: true, mode: 'id', value: UNKNOWN_ID } },
		});
		expect(failed.description).toContain('Conversation Not Exists.');
		expect(failed.description).toContain('leave the conversation ID empty to start a new one');
		expect(failed.context.data).toMatchObject({ kind: 'conversationNotFound', status: 404, code: 'not_found' });
	});

	test('options: version, name, trace', async () => {
		const sim = await startApp('2026', { mode: 'advanced-chat', versions: [UNKNOWN_ID] });
		await jsonOf(sim, {
			mode: 'advanced-chat',
			parameters: { options: { workflowId: ` ${UNKNOWN_ID} `, autoGenerateName: false, traceId: 'trace_1' } },
		});
		expect(sim.requests[0]!.json).toMatchObject({
			workflow_id: UNKNOWN_ID,
			auto_generate_name: false,
			trace_id: 'trace_1',
		});
		expect(
			(await errorOf(sim, { mode: 'advanced-chat', parameters: { options: { traceId: 'no blanks' } } })).message,
		).toBe('The trace ID is not valid');
	});

	test('limits are seconds; 0 is none, nonsense is refused', async () => {
		const sim = await startApp(
			'2026',
			{ mode: 'chat', reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }) },
			{ stream: { pingEveryMs: 5 } },
		);
		const failed = await errorOf(sim, { parameters: { options: { progressLimit: 0.05, idleLimit: 0 } } });
		expect(failed.description).toContain('nothing but pings for 50 ms');
		expect((await errorOf(sim, { parameters: { options: { totalLimit: '0.05' } } })).description).toContain(
			'longer than 50 ms',
		);
		expect((await errorOf(sim, { parameters: { options: { idleLimit: 'soon' } } })).message).toContain(
			'"Idle Limit (Seconds)" must be a number',
		);
	});

	test('case 26: retries are those of the option', async () => {
		const sim = await startSim();
		sim.fail({
			status: 429,
			body: '{"code":"too_many_requests","message":"Too many requests","status":429}',
			contentType: 'application/json',
			times: 1,
		});
		expect((await errorOf(sim, { parameters: { options: { maxRetries: 0 } } })).description).toContain(
			'Too many requests',
		);
		sim.fail({
			status: 429,
			body: '{"code":"too_many_requests","message":"Too many requests","status":429}',
			contentType: 'application/json',
			times: 1,
		});
		expect(await jsonOf(sim, { parameters: { options: { maxRetries: 1 } } })).toMatchObject({ answer: 'You said: hi' });
	});
});

describe('inputs', () => {
	const form: FormField[] = [
		{ kind: 'text-input', variable: 'city', required: true },
		{ kind: 'number', variable: 'days' },
		{ kind: 'checkbox', variable: 'terse' },
		{ kind: 'file', variable: 'picture', allowedTypes: ['image'] },
		{ kind: 'file-list', variable: 'papers', allowedTypes: ['document'], maxLength: 2 },
	];
	const image = { data: Buffer.from('png').toString('base64'), mimeType: 'image/png', fileName: 'a.png' };
	const paper = { data: Buffer.from('one').toString('base64'), mimeType: 'text/plain', fileName: 'b.txt' };

	test.each(SIM_VERSIONS)('case 20: from the form, typed, on every turn (%s)', async (version) => {
		const sim = await startApp(version, { mode: 'chat', form });
		const parameters = {
			inputsMode: 'form',
			inputs: {
				value: { city: 12, days: '3', terse: false, picture: 'data', papers: 'one, https://example.com/c.pdf' },
			},
			conversation: 'latest',
		};
		const items = [{ json: {}, binary: { data: image, one: paper } }];
		await jsonOf(sim, { parameters, items });
		await jsonOf(sim, { parameters, items });
		expect(sim.runs).toHaveLength(2);
		for (const { inputs } of sim.runs) {
			expect(inputs).toMatchObject({
				city: '12',
				days: 3,
				terse: false,
				picture: { type: 'image', transfer_method: 'local_file', filename: 'a.png' },
				papers: [
					{ type: 'document', transfer_method: 'local_file', filename: 'b.txt' },
					{ type: 'document', transfer_method: 'remote_url' },
				],
			});
		}
		expect(sim.runs[0]!.conversationId).toBe(sim.runs[1]!.conversationId);
	});

	test('the form is asked for once for all items, and not at all where nothing is filled in', async () => {
		const sim = await startApp('2026', { mode: 'chat', form: [{ kind: 'text-input', variable: 'city' }] });
		await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }, { json: {} }],
				parameters: { inputsMode: 'form', inputs: { value: { city: 'Rome' } } },
			}),
		);
		expect(calls(sim, '/parameters', 'GET')).toBe(1);
		await execute(prepare(sim, { parameters: { inputsMode: 'form', inputs: { value: null } } }));
		await execute(prepare(sim, { parameters: { inputsMode: 'form', inputs: { value: { city: null } } } }));
		expect(calls(sim, '/parameters', 'GET')).toBe(1);
	});

	test('a form that cannot be had is asked for again by the next item', async () => {
		const sim = await startApp('2026', { mode: 'chat', form: [{ kind: 'text-input', variable: 'city' }] });
		sim.fail({
			path: '/parameters',
			status: 400,
			body: '{"code":"app_unavailable","message":"App unavailable","status":400}',
			contentType: 'application/json',
		});
		const items = await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }],
				continueOnFail: true,
				parameters: { inputsMode: 'form', inputs: { value: { city: 'Rome' } } },
			}),
		);
		expect(items.map((item) => errorIn(item)?.kind ?? item.json.answer)).toEqual(['appUnavailable', 'You said: hi']);
	});

	test('as JSON they go out as they are; what is none is refused', async () => {
		const sim = await startApp('2026', { mode: 'chat', form: [{ kind: 'text-input', variable: 'city' }] });
		await jsonOf(sim, { parameters: { inputsJson: '{"city":"<Rome> & \\"more\\""}' } });
		await jsonOf(sim, { parameters: { inputsJson: { city: 'Paris' } } });
		expect(sim.runs.map(({ inputs }) => inputs)).toEqual([{ city: '<Rome> & "more"' }, { city: 'Paris' }]);
		expect((await errorOf(sim, { parameters: { inputsJson: '{"city"' } })).message).toContain('not a JSON object');
		expect((await errorOf(sim, { parameters: { inputsJson: '{"city":7}' } })).description).toContain(
			'must be a string',
		);
	});

	test("a file field takes Dify's own objects, and one file only where it is one", async () => {
		const sim = await startApp('2026', { mode: 'chat', form: form.slice(3) });
		const object = { type: 'image', transfer_method: 'remote_url', url: 'https://example.com/x.png' };
		await jsonOf(sim, { parameters: { inputsMode: 'form', inputs: { value: { picture: JSON.stringify(object) } } } });
		await jsonOf(sim, { parameters: { inputsMode: 'form', inputs: { value: { picture: object } } } });
		expect(sim.runs.map(({ inputs }) => (inputs.picture as { remote_url: string }).remote_url)).toEqual([
			object.url,
			object.url,
		]);
		const items = [{ json: {}, binary: { data: image, other: image } }];
		expect(
			(await errorOf(sim, { items, parameters: { inputsMode: 'form', inputs: { value: { picture: 'data, other' } } } }))
				.message,
		).toContain('takes 1 at most');
		expect(
			(await errorOf(sim, { parameters: { inputsMode: 'form', inputs: { value: { picture: [object, object] } } } }))
				.message,
		).toContain('takes one file, but 2 are given');
		expect(
			(await errorOf(sim, { items, parameters: { inputsMode: 'form', inputs: { value: { papers: 'data' } } } }))
				.message,
		).toContain('of type image');
		expect(
			(await errorOf(sim, { parameters: { inputsMode: 'form', inputs: { value: { picture: '{"broken' } } } })).message,
		).toContain('not valid JSON');
		expect(
			(await errorOf(sim, { parameters: { inputsMode: 'form', inputs: { value: { picture: 'nothing' } } } })).message,
		).toContain("no binary field 'nothing'");
	});
});

describe.each(SIM_VERSIONS)('files, %s', (version) => {
	const files = (...file: Array<Record<string, unknown>>) => ({ files: { file } });
	const item = {
		json: {},
		binary: {
			data: { data: Buffer.from('png!').toString('base64'), mimeType: 'image/png', fileName: 'a.png' },
			other: { data: '', id: 'filesystem-v2:1', mimeType: 'application/pdf', fileName: 'b.pdf' },
		},
	};
	const stored = { 'filesystem-v2:1': Uint8Array.from({ length: 700_000 }, (_, at) => at & 0xff) };

	const apps = [
		{
			mode: 'chat' as const,
			key: appKey('chat'),
			fileUpload: { enabled: true, types: ['image', 'document'], number: 5 },
		},
	];

	test('binary properties are uploaded first, by the same user, and never read whole', async () => {
		const sim = await startSim({ version, apps });
		const fake = prepare(sim, {
			items: [item],
			stored,
			parameters: files({ source: 'binary', binaryProperty: 'data , other', type: 'auto' }),
		});
		await execute(fake);
		const uploads = sim.requests.filter(({ path }) => path === '/files/upload');
		expect(
			uploads.map(({ upload }) => [upload!.fields.user, upload!.parts[0]!.size, upload!.parts[0]!.mimeType]),
		).toEqual([
			['u1', 4, 'image/png'],
			['u1', 700_000, 'application/pdf'],
		]);
		expect(sim.runs[0]!.files).toMatchObject([
			{ type: 'image', filename: 'a.png' },
			{ type: 'document', filename: 'b.pdf' },
		]);
		expect(fake.wholeReads).toBe(0);
		expect(sim.requests.map(({ path }) => path)).toEqual([
			'/parameters',
			'/files/upload',
			'/files/upload',
			'/chat-messages',
		]);
	});

	test('all binary properties, URLs, a type that is given', async () => {
		const sim = await startSim({ version, apps });
		await execute(
			prepare(sim, {
				items: [item],
				stored,
				storedSizes: false,
				parameters: files(
					{ source: 'all' },
					{ source: 'url', url: 'https://example.com/a.png?x=1\nhttps://example.com/b', type: 'image' },
				),
			}),
		);
		expect(sim.runs[0]!.files).toMatchObject([
			{ filename: 'a.png' },
			{ filename: 'b.pdf', size: 700_000 },
			{ type: 'image', remote_url: 'https://example.com/a.png?x=1' },
			{ type: 'image', remote_url: 'https://example.com/b' },
		]);
	});

	test('what the app does not take is refused before anything is uploaded', async () => {
		for (const [fileUpload, message] of [
			[{ enabled: false }, 'File upload is switched off'],
			[{ enabled: true, types: ['document'] }, '"a.png" is of type image'],
			[{ enabled: true, types: ['image', 'document'], number: 1 }, '2 files are given, but the app takes 1 at most'],
		] as const) {
			const sim = await startApp(version, {
				mode: 'chat',
				fileUpload: { ...fileUpload, types: 'types' in fileUpload ? [...fileUpload.types] : undefined },
			});
			const failed = await errorOf(sim, { items: [item], stored, parameters: files({ source: 'all' }) });
			expect(failed.message).toContain(message);
			expect(sim.requests.map(({ path }) => path)).toEqual(['/parameters']);
		}
		const small = await startSim({ version, limits: { image: 0.000001 } });
		expect(
			(await errorOf(small, { items: [item], parameters: files({ source: 'binary', binaryProperty: 'data' }) }))
				.message,
		).toContain('MB at most');
		expect(
			(await errorOf(small, { items: [item], parameters: files({ source: 'binary', binaryProperty: 'nope' }) }))
				.message,
		).toContain("no binary field 'nope'");
		expect(
			(await errorOf(small, { items: [item], parameters: files({ source: 'url', url: 'ftp://x' }) })).message,
		).toContain('file URL is not valid');
		expect(
			(
				await errorOf(small, {
					items: [item],
					parameters: files({ source: 'binary', binaryProperty: 'data', type: 'picture' }),
				})
			).message,
		).toContain('"Type" must be one of audio, auto, custom, document, image, video, but is "picture"');
	});

	test('an item without files sends none, and asks for nothing', async () => {
		const sim = await startSim({ version });
		await execute(prepare(sim, { parameters: files({ source: 'all' }) }));
		expect(sim.requests.map(({ path }) => path)).toEqual(['/chat-messages']);
	});
});

describe('many items', () => {
	test('several at once, in order and paired', async () => {
		const waiting: Array<() => void> = [];
		let most = 0;
		const sim = await startApp('2026', {
			mode: 'chat',
			reply: ({ query }) => ({
				steps: [{ wait: new Promise<void>((resolve) => waiting.push(resolve)) }, { text: query }],
			}),
		});
		const executed = execute(prepare(sim, { ...numbered(12), parameters: { options: { itemsAtOnce: 4 } } }));
		// Each goes on when as many as can be are there, the latest first; the first item comes last.
		for (let answered = 0; answered < 12; answered++) {
			await waitFor(() => waiting.length === Math.min(4, 12 - answered));
			most = Math.max(most, sim.runs.filter(({ status }) => status === 'running').length);
			waiting.pop()!();
		}
		const items = await executed;
		expect(items.map(({ json, pairedItem }) => [json.answer, pairedItem])).toEqual(
			Array.from({ length: 12 }, (_, at) => [`q${at}`, { item: at }]),
		);
		expect(most).toBe(4);
	});

	test('one after another by default', async () => {
		const sim = await startApp('2026', {
			mode: 'chat',
			maxActive: 1,
			reply: ({ query }) => ({ steps: [{ wait: 3 }, { text: query }] }),
		});
		expect(await execute(prepare(sim, { ...numbered(5), parameters: { options: { maxRetries: 0 } } }))).toHaveLength(5);
	});

	test('messages of one conversation go in their order, also with several at once', async () => {
		const sim = await startApp('2026', {
			mode: 'chat',
			reply: ({ query, turn }) => ({
				steps: [{ wait: query === 'q0' ? 40 : 1 }, { text: `${query} is turn ${turn}` }],
			}),
		});
		const perItem = Array.from({ length: 6 }, (_, at) => ({ query: `q${at}`, user: at % 2 === 0 ? 'anna' : 'ben' }));
		const items = await execute(
			prepare(sim, {
				items: perItem.map(() => ({ json: {} })),
				perItem,
				parameters: { conversation: 'latest', options: { itemsAtOnce: 6 } },
			}),
		);
		expect(items.map(({ json }) => json.answer)).toEqual([
			'q0 is turn 1',
			'q1 is turn 1',
			'q2 is turn 2',
			'q3 is turn 2',
			'q4 is turn 3',
			'q5 is turn 3',
		]);
	});

	test.each([1, 3])('a failure does not lose the others when the node goes on (%i at once)', async (itemsAtOnce) => {
		const steps: Step[] = [
			{ text: 'half' },
			{ error: { code: 'completion_request_error', status: 400, message: 'no more' } },
		];
		const sim = await startApp('2026', { mode: 'chat', reply: ({ query }) => (query === 'q1' ? { steps } : query) });
		const items = await execute(
			prepare(sim, { ...numbered(4), continueOnFail: true, parameters: { options: { itemsAtOnce } } }),
		);
		expect(items.map(({ json }) => json.answer)).toEqual(['q0', undefined, 'q2', 'q3']);
		const { taskId, conversationId, messageId } = sim.runs.find(({ query }) => query === 'q1')!;
		expect(items[1]).toEqual({
			json: {
				error: {
					message: 'The model behind Dify refused or failed',
					description: expect.stringMatching(/^The model behind Dify .*"no more"$/) as string,
					serverText: 'no more',
					kind: 'modelProvider',
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
	});

	test('items may have different apps', async () => {
		const sim = await startSim();
		const credentials = (['chat', 'advanced-chat'] as const).map((mode) => ({
			baseUrl: sim.url,
			apiKey: appKey(mode),
			keyType: 'app',
		}));
		await execute(prepare(sim, { ...numbered(2), credentials }));
		expect(sim.runs.map(({ app }) => app.mode)).toEqual(['chat', 'advanced-chat']);
	});

	test('the first failure ends the others, and Dify is told', async () => {
		const sim = await startApp('2026', {
			mode: 'chat',
			reply: ({ query }) => ({
				steps:
					query === 'q2'
						? [{ wait: 1500 }, { error: { status: 500, message: 'boom' } }]
						: [{ text: 'a' }, { wait: 60_000 }],
			}),
		});
		const failed = await errorOf(sim, { ...numbered(9), parameters: { options: { itemsAtOnce: 3 } } });
		expect(failed.description).toContain('boom');
		expect(failed.context.itemIndex).toBe(2);
		expect(sim.stops).toHaveLength(2);
		expect(sim.runs).toHaveLength(3);
	});

	test('a stopped execution ends all, and starts no more', async () => {
		const sim = await startApp('2026', { mode: 'chat', reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }) });
		const controller = new AbortController();
		const running = errorOf(sim, {
			...numbered(9),
			signal: controller.signal,
			parameters: { options: { itemsAtOnce: 3 } },
		});
		await waitFor(() => sim.runs.length === 3 && sim.runs.every(({ events }) => events.length > 0));
		await delay(20);
		controller.abort();
		expect((await running).message).toBe('The execution was stopped');
		expect([sim.stops.length, sim.runs.length]).toEqual([3, 3]);
	});
});

describe("typing into n8n's chat", () => {
	const story = { steps: [{ text: 'Once ' }, { text: 'upon ' }, { text: 'a time' }] };

	test('begins, types, ends; the item comes all the same', async () => {
		const sim = await startApp('2026', { mode: 'chat', reply: () => story }, { stream: { delayMs: 3 } });
		const fake = prepare(sim, { streaming: true });
		expect((await execute(fake))[0]!.json.answer).toBe('Once upon a time');
		expect(fake.chunks.map(({ type, content }) => content ?? type)).toEqual([
			'begin',
			'Once ',
			'upon ',
			'a time',
			'end',
		]);
	});

	test('events that arrive together are one piece', async () => {
		const sim = await startApp('2026', { mode: 'chat', reply: () => story }, { stream: { eventsPerWrite: 99 } });
		const fake = prepare(sim, { streaming: true });
		await execute(fake);
		expect(fake.chunks.map(({ type }) => type)).toEqual(['begin', 'item', 'end']);
	});

	test('not where it is off, not as a tool, and not without a chat', async () => {
		const sim = await startApp('2026', { mode: 'chat', reply: () => story });
		for (const setup of [
			{ streaming: true, parameters: { options: { enableStreaming: false } } },
			{ streaming: true, type: 'CUSTOM.difyChatMessageTool' },
			{ streaming: false },
		]) {
			const fake = prepare(sim, setup);
			await execute(fake);
			expect(fake.chunks).toEqual([]);
		}
	});

	test('a replaced answer begins a message of its own', async () => {
		const sim = await startApp(
			'2026',
			{ mode: 'chat', reply: () => ({ steps: [{ text: 'bad' }, { replace: 'Withheld.' }, { text: ' Sorry.' }] }) },
			{ stream: { delayMs: 5 } },
		);
		const fake = prepare(sim, { streaming: true });
		await execute(fake);
		expect(fake.chunks.map(({ type, content }) => content ?? type)).toEqual([
			'begin',
			'bad',
			'end',
			'begin',
			'Withheld.',
			' Sorry.',
			'end',
		]);
	});

	test('what was replaced before it was shown is not shown', async () => {
		const sim = await startApp(
			'2026',
			{ mode: 'chat', reply: () => ({ steps: [{ text: 'bad' }, { replace: 'Withheld.' }, { text: ' Sorry.' }] }) },
			{ stream: { eventsPerWrite: 99 } },
		);
		const fake = prepare(sim, { streaming: true });
		await execute(fake);
		expect(fake.chunks.map(({ type, content }) => content ?? type)).toEqual(['begin', 'Withheld. Sorry.', 'end']);
	});

	test('several items are answered one after another', async () => {
		const sim = await startApp('2026', {
			mode: 'chat',
			maxActive: 1,
			reply: ({ query }) => ({ steps: [{ text: query }, { wait: 5 }] }),
		});
		const fake = prepare(sim, {
			streaming: true,
			items: [{ json: {} }, { json: {} }],
			perItem: [{ query: 'a' }, { query: 'b' }],
			parameters: { options: { itemsAtOnce: 8, maxRetries: 0 } },
		});
		await execute(fake);
		expect(fake.chunks.map(({ type, itemIndex, content }) => `${itemIndex} ${String(content ?? type)}`)).toEqual([
			'0 begin',
			'0 a',
			'0 end',
			'1 begin',
			'1 b',
			'1 end',
		]);
	});

	test('a failure is told by n8n, or by the node where it goes on', async () => {
		const sim = await startApp('2026', {
			mode: 'chat',
			reply: () => ({ steps: [{ text: 'a' }, { error: { status: 500, message: 'boom' } }] }),
		});
		const stopping = prepare(sim, { streaming: true });
		await expect(execute(stopping)).rejects.toThrow('Dify failed with an error of its own');
		expect(stopping.chunks.map(({ type }) => type)).toEqual(['begin', 'item']);
		const going = prepare(sim, { streaming: true, continueOnFail: true });
		await execute(going);
		expect(going.chunks.at(-1)).toMatchObject({
			type: 'error',
			content: expect.stringMatching(/^Dify failed with .* Look at the logs .*"boom"$/) as string,
		});
		// Visitors of a chat need not know where Dify is.
		expect(JSON.stringify(going.chunks)).not.toContain(sim.url);
	});
});

describe('errors', () => {
	test('say what happened, where, and what to do, without the key', async () => {
		const sim = await startSim();
		const credentials = { baseUrl: sim.url, apiKey: `app-${'NoSuchKey'.repeat(3)}`, keyType: 'app' };
		const failed = await errorOf(sim, { credentials });
		expect(failed.description).toContain('Access token is invalid');
		expect(failed.description).toContain(`${sim.url}/chat-messages`);
		expect(failed.description).toContain('Check the API key');
		expect(JSON.stringify(failed)).not.toContain('NoSuchKey');
	});

	test('a Dify that cannot be reached', async () => {
		const failed = await errorOf({ url: 'http://127.0.0.1:9/v1' }, { parameters: { options: { maxRetries: 0 } } });
		expect(failed.message).toContain('Nothing listens on 127.0.0.1:9');
		const [item] = await execute(
			prepare({ url: 'http://127.0.0.1:9/v1' }, { continueOnFail: true, parameters: { options: { maxRetries: 0 } } }),
		);
		expect(errorIn(item!)).toMatchObject({ kind: 'refused', description: expect.any(String) as string });
	});

	test('an expression that fails belongs to its item', async () => {
		const sim = await startSim();
		const items = await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }],
				perItem: [{ query: new Error('no such field') }, {}],
				continueOnFail: true,
			}),
		);
		expect(items.map((item) => errorIn(item)?.message ?? item.json.answer)).toEqual(['no such field', 'You said: hi']);
	});
});
