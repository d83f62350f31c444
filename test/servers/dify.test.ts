import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { delay, performance } from '../support/node';
import { ask, chat, eventsOf, form, namesOf, waitFor, type Answer } from '../lib/dify/ask';
import { UNKNOWN_ID, startApp as startAppOf, startSim } from '../lib/dify/client';
import {
	PAGES,
	SAMPLES,
	SIM_VERSIONS,
	defaultApps,
	knowledgeKey,
	type AppSpec,
	type DifySim,
	type DifySimOptions,
	type Reply,
	type SimVersion,
	type Step,
} from './dify';
import { AT_ONCE_MS } from '../support/time';
import { MultipartReader } from './dify/multipart';

let sim: DifySim;

async function start(options: DifySimOptions = {}): Promise<DifySim> {
	sim = await startSim(options);
	return sim;
}

/** A simulator with one app, whose key is the default one of its mode. */
async function startApp(app: Omit<AppSpec, 'key'>, options: DifySimOptions = {}): Promise<DifySim> {
	sim = await startAppOf(options.version, app, options);
	return sim;
}

function replying(reply: Reply): () => Reply {
	return () => reply;
}

/** Short ids and the clock of docs/protocols/dify.md 3.11. */
const SHORT: DifySimOptions = {
	now: () => 1705398420,
	ids: (kind, count) => {
		const one: Record<string, string> = {
			conversation: 'c',
			message: 'm',
			task: 't',
			run: 'r',
			workflow: 'w',
			app: 'a',
		};
		const many: Record<string, string> = { execution: 'e', thought: 'th' };
		return one[kind] ?? (kind === 'end-user' ? 'eu' : `${many[kind] ?? kind}${count}`);
	},
};

describe('samples of docs/protocols/dify.md 3.11, byte for byte', () => {
	const ENV = '"conversation_id":"c","message_id":"m","created_at":1705398420,"task_id":"t"';
	const filled = (text: string) =>
		text
			.trim()
			.split('\n')
			.map((line) => `${line.trim().replaceAll('ENV', ENV)}\n\n`)
			.join('');

	const AGENT = filled(String.raw`
		data: {"event":"agent_thought",ENV,"id":"th1","position":1,"thought":"","observation":"","tool":"","tool_labels":{},"tool_input":"","message_files":[]}
		data: {"event":"agent_message",ENV,"id":"m","answer":"Let me check. "}
		data: {"event":"agent_thought",ENV,"id":"th1","position":1,"thought":"Let me check. ","observation":"","tool":"time","tool_labels":{"time":{"en_US":"Time"}},"tool_input":"{\"time\": {\"tz\": \"UTC\"}}","message_files":[]}
		data: {"event":"agent_thought",ENV,"id":"th1","position":1,"thought":"Let me check. ","observation":"{\"time\": \"12:00\"}","tool":"time","tool_labels":{"time":{"en_US":"Time"}},"tool_input":"{\"time\": {\"tz\": \"UTC\"}}","message_files":[]}
		data: {"event":"agent_thought",ENV,"id":"th2","position":2,"thought":"","observation":"","tool":"","tool_labels":{},"tool_input":"","message_files":[]}
		data: {"event":"agent_message",ENV,"id":"m","answer":"It is noon."}
		data: {"event":"agent_thought",ENV,"id":"th2","position":2,"thought":"It is noon.","observation":"","tool":"","tool_labels":{},"tool_input":"","message_files":[]}
		data: {"event":"message_end",ENV,"id":"m","metadata":{"annotation_reply":null,"retriever_resources":[],"usage":{"total_tokens":42}},"files":null}
	`);
	const CHATFLOW = filled(`
		data: {"event":"workflow_started",ENV,"workflow_run_id":"r","data":{"id":"r","workflow_id":"w","inputs":{"sys.query":"hi","sys.dialogue_count":1,"sys.files":[],"sys.user_id":"u1","sys.app_id":"a","sys.workflow_id":"w","sys.workflow_run_id":"r"},"created_at":1705398420}}
		data: {"event":"node_started",ENV,"workflow_run_id":"r","data":{"id":"e1","node_id":"n1","node_type":"start","title":"Start","index":1,"predecessor_node_id":null,"inputs":null,"inputs_truncated":false,"created_at":1705398420,"extras":{},"iteration_id":null,"loop_id":null,"agent_strategy":null}}
		data: {"event":"node_finished",ENV,"workflow_run_id":"r","data":{"id":"e1","node_id":"n1","node_type":"start","title":"Start","index":1,"predecessor_node_id":null,"inputs":{},"inputs_truncated":false,"process_data":{},"process_data_truncated":false,"outputs":{},"outputs_truncated":false,"status":"succeeded","error":null,"elapsed_time":0.01,"execution_metadata":null,"created_at":1705398420,"finished_at":1705398420,"files":[],"iteration_id":null,"loop_id":null}}
		data: {"event":"message",ENV,"id":"m","answer":"Hello","from_variable_selector":["n2","text"]}
		data: {"event":"workflow_finished",ENV,"workflow_run_id":"r","data":{"id":"r","workflow_id":"w","status":"succeeded","outputs":{"answer":"Hello","files":[]},"error":null,"elapsed_time":1.5,"total_tokens":20,"total_steps":3,"created_by":{"id":"eu","user":"u1"},"created_at":1705398420,"finished_at":1705398422,"exceptions_count":0,"files":[]}}
		data: {"event":"message_end",ENV,"id":"m","metadata":{"annotation_reply":null,"retriever_resources":[],"usage":{"total_tokens":20}},"files":[]}
	`);
	const WORKFLOW = filled(`
		data: {"event":"workflow_started","workflow_run_id":"r","task_id":"t","data":{"id":"r","workflow_id":"w","inputs":{"sys.files":[],"sys.user_id":"u1","sys.app_id":"a","sys.workflow_id":"w","sys.workflow_run_id":"r"},"created_at":1705398420}}
		data: {"event":"text_chunk","workflow_run_id":"r","task_id":"t","data":{"text":"par","from_variable_selector":["n2","text"]}}
		data: {"event":"workflow_finished","workflow_run_id":"r","task_id":"t","data":{"id":"r","workflow_id":"w","status":"failed","outputs":{},"error":"boom","elapsed_time":0.4,"total_tokens":0,"total_steps":2,"created_by":{"id":"eu","user":"u1"},"created_at":1705398420,"finished_at":1705398421,"exceptions_count":0,"files":[]}}
	`);

	test('agent-chat with one tool call', async () => {
		await startApp(
			{ mode: 'agent-chat', reply: replying(SAMPLES.agentChat) },
			{ ...SHORT, version: '1.12' },
		);
		expect((await chat(sim, {}, { mode: 'agent-chat' })).text).toBe(AGENT);
	});

	test('chatflow: 1.12 order, and the newer one with a leading ping', async () => {
		const app: Omit<AppSpec, 'key'> = { mode: 'advanced-chat', reply: replying(SAMPLES.chatflow) };
		await startApp(app, { ...SHORT, version: '1.12' });
		expect((await chat(sim, {}, { mode: 'advanced-chat' })).text).toBe(CHATFLOW);
		const lines = CHATFLOW.split(/(?<=\n\n)/);
		const swapped = [...lines.slice(0, 4), lines[5], lines[4]].join('');
		for (const version of ['1.14', '2026'] as const) {
			await sim.close();
			await startApp(app, { ...SHORT, version });
			const { text } = await chat(sim, {}, { mode: 'advanced-chat' });
			// Newer versions say why the run begins; only the newest names the conversation.
			const known = text
				.replace(',"reason":"initial"}', '}')
				.replace('"sys.conversation_id":"c",', '')
				.replace(/"index":\d/g, '"index":1');
			expect(known).toBe(`event: ping\n\n${swapped}`);
			expect(text).toContain('"reason":"initial"');
		}
	});

	test('workflow failure', async () => {
		await startApp(
			{ mode: 'workflow', reply: replying(SAMPLES.workflowFailure) },
			{ ...SHORT, version: '1.12' },
		);
		const json = { inputs: {}, user: 'u1', response_mode: 'streaming' };
		expect((await ask(sim, 'POST', '/workflows/run', { mode: 'workflow', json })).text).toBe(
			WORKFLOW,
		);
	});

	test('the simplest stream of 3.1: raw UTF-8, no event line but ping, no [DONE]', async () => {
		await startApp(
			{ mode: 'chat', reply: replying({ steps: [{ ping: true }, { text: 'Hé' }], usage: {} }) },
			SHORT,
		);
		expect((await chat(sim)).text).toBe(
			'event: ping\n\n' +
				`data: {"event":"message",${ENV},"id":"m","answer":"Hé","from_variable_selector":null}\n\n` +
				`data: {"event":"message_end",${ENV},"id":"m","metadata":{"annotation_reply":null,"retriever_resources":[],"usage":{}},"files":null}\n\n`,
		);
	});
});

describe('keys, envelope and routes (docs/protocols/dify.md 1, 6)', () => {
	test('A4 to A9, with finer codes in 2026', async () => {
		const states: Array<[Partial<AppSpec>, number, string, string, string]> = [
			[{ exists: false }, 403, 'forbidden', 'app_not_found', 'The app no longer exists.'],
			[
				{ status: 'abnormal' },
				403,
				'forbidden',
				'app_abnormal_status',
				"The app's status is abnormal.",
			],
			[
				{ apiEnabled: false },
				403,
				'forbidden',
				'app_api_disabled',
				"The app's API service has been disabled.",
			],
			[
				{ workspace: 'archived' },
				403,
				'forbidden',
				'workspace_archived',
				"The workspace's status is archived.",
			],
			[{ workspace: 'missing' }, 400, 'invalid_param', 'invalid_param', 'Tenant does not exist.'],
			[
				{ workspace: 'ownerless' },
				401,
				'unauthorized',
				'unauthorized',
				'Tenant owner account not found or tenant is not active.',
			],
		];
		for (const version of ['1.12', '2026'] as const) {
			await start({
				version,
				apps: states.map(([state], at) => ({ mode: 'chat', key: `app-${at}`, ...state })),
			});
			for (const [at, [, status, old, fine, message]] of states.entries()) {
				const { json } = await ask(sim, 'GET', '/info', { key: `app-${at}` });
				expect(json).toEqual({ code: version === '1.12' ? old : fine, message, status });
			}
			if (version === '1.12') await sim.close();
		}
	});

	test('the index asks for no key, its short form redirects', async () => {
		await start();
		const welcome = await ask(sim, 'GET', '/', { key: 'app-wrong' });
		expect(welcome.json).toEqual({
			welcome: 'Dify OpenAPI',
			api_version: 'v1',
			server_version: '1.17.0',
		});
		const short = await ask(sim, 'GET', '');
		expect([short.status, short.headers.location]).toEqual([308, `${sim.url}/`]);
	});

	test('HTML for unknown routes, ids that are no UUID, doubled slashes and the web front end', async () => {
		await start();
		const like = { json: { rating: 'like', user: 'u1' } };
		for (const answer of [
			await ask(sim, 'GET', '/nothing'),
			await ask(sim, 'POST', '/messages/abc/feedbacks', like),
			await ask(sim, 'POST', `${sim.origin}/v1//chat-messages`, like),
			await ask(sim, 'GET', '/datasets/abc/documents', { key: knowledgeKey() }),
		]) {
			expect([answer.status, answer.text]).toEqual([404, PAGES.werkzeug404]);
		}
		const front = await ask(sim, 'POST', `${sim.origin}/chat-messages`, like);
		expect([front.status, front.text.includes('/_next/')]).toEqual([404, true]);
		const home = await ask(sim, 'GET', `${sim.origin}/`);
		expect([home.status, home.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
	});

	test('without nginx there is no front end, and a prefix belongs to the base URL', async () => {
		await start({ front: 'none', prefix: '/dify' });
		expect(sim.url).toBe(`${sim.origin}/dify/v1`);
		expect((await ask(sim, 'GET', '/info')).status).toBe(200);
		expect((await ask(sim, 'GET', `${sim.origin}/v1/info`)).text).toBe(PAGES.werkzeug404);
	});

	test('checks in order: key, body, user, mode, payload', async () => {
		await start();
		const post = async (json: unknown, key?: string) =>
			(await ask(sim, 'POST', '/chat-messages', { json, mode: 'completion', key })).json.message;
		expect(await post({}, 'app-wrong')).toBe('Access token is invalid');
		expect(await post({})).toBe('Arg user must be provided.');
		expect(await post({ user: 0 })).toBe('Arg user must be provided.');
		expect(await post({ user: 'u1' })).toBe(
			'Please check if your app mode matches the right API route.',
		);
	});
});

describe('pydantic texts and inputs (docs/protocols/dify.md 2.1, 6.2)', () => {
	const message = async (over: Record<string, unknown>) =>
		String((await chat(sim, { response_mode: undefined, ...over })).json.message);

	test('missing and wrong fields', async () => {
		await start();
		const { json } = await ask(sim, 'POST', '/chat-messages', { json: { query: 'hi', user: 'u' } });
		expect(json).toEqual({
			code: 'invalid_param',
			message:
				"1 validation error for ChatRequestPayload\ninputs\n  Field required [type=missing, input_value={'query': 'hi', 'user': 'u'}, input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.12/v/missing",
			status: 400,
		});
		expect(await message({ inputs: null })).toContain(
			'inputs\n  Input should be a valid dictionary [type=dict_type, input_value=None, input_type=NoneType]',
		);
		expect(await message({ query: 5 })).toContain(
			'[type=string_type, input_value=5, input_type=int]',
		);
		expect(await message({ response_mode: 'fast' })).toContain(
			"Input should be 'blocking' or 'streaming' [type=literal_error",
		);
		expect(await message({ conversation_id: 'abc' })).toContain(
			'conversation_id must be a valid UUID',
		);
		expect(await message({ query: '' })).toBe('query is required');
	});

	test('every form type', async () => {
		await startApp({
			mode: 'chat',
			form: [
				{ kind: 'text-input', variable: 'name', maxLength: 5 },
				{ kind: 'select', variable: 'tone', options: ['warm', 'cool'] },
				{ kind: 'number', variable: 'count' },
				{ kind: 'checkbox', variable: 'on' },
				{ kind: 'json_object', variable: 'more' },
				{ kind: 'paragraph', variable: 'must', required: true, default: 'unused' },
			],
		});
		const cases: Array<[Record<string, unknown>, string]> = [
			[{}, 'must is required in input form'],
			[{ must: 5 }, "(type 'paragraph') must in input form must be a string"],
			[{ must: '', name: 7 }, "(type 'text-input') name in input form must be a string"],
			[{ must: '', name: 'abcdef' }, 'name in input form must be less than 5 characters'],
			[
				{ must: '', tone: 'hot' },
				"tone in input form must be one of the following: ['warm', 'cool']",
			],
			[{ must: '', count: 'many' }, 'count in input form must be a valid number'],
			[{ must: '', more: [] }, 'more in input form must be a dict'],
		];
		for (const [inputs, text] of cases) expect(await message({ inputs })).toBe(text);
		expect((await chat(sim, { inputs: { must: '', count: [] } })).json).toMatchObject({
			code: 'internal_server_error',
			status: 500,
		});
		await chat(sim, { inputs: { must: '', count: '7', on: 'yes', other: 1 } });
		expect(sim.runs.at(-1)?.inputs).toEqual({
			name: null,
			tone: null,
			more: null,
			must: '',
			count: 7,
			on: true,
		});
	});

	test('files: dropped, refused and used as docs/protocols/dify.md 2.1.3 says', async () => {
		await startApp(
			{ mode: 'chat', fileUpload: { enabled: true, types: ['image'], number: 1 } },
			{ version: '2026' },
		);
		const url = { type: 'image', transfer_method: 'remote_url', url: 'http://h/a.png' };
		const ask1 = async (files: unknown) => (await chat(sim, { files })).json.message;
		await chat(sim, {
			files: [
				{ type: 'image', url: 'http://h/a.png' },
				{ ...url, url: '' },
			],
		});
		expect(sim.runs.at(-1)?.files).toEqual([]);
		expect(await ask1([{ ...url, transfer_method: 'x' }])).toBe(
			"'x' is not a valid FileTransferMethod",
		);
		expect(await ask1([{ ...url, type: 'audio' }])).toBe('File validation failed for file: a.png');
		expect(await ask1([url, url])).toBe('Number of image files exceeds the maximum limit 1');
		const local = { type: 'image', transfer_method: 'local_file', upload_file_id: UNKNOWN_ID };
		expect(await ask1([local])).toBe('Invalid upload file');
		expect(await ask1([{ ...local, upload_file_id: 'x' }])).toBe('Invalid upload file id format');
		await chat(sim, { files: [url] });
		expect(sim.runs.at(-1)?.files).toMatchObject([{ remote_url: 'http://h/a.png' }]);
	});
});

describe('runs', () => {
	test.each(SIM_VERSIONS)(
		'blocking answer, ASCII-escaped, continued in its conversation (%s)',
		async (version) => {
			await startApp({ mode: 'chat', reply: replying('你好') }, { version });
			const answer = await chat(sim, { response_mode: undefined });
			expect(answer.text).toContain('"answer": "\\u4f60\\u597d"');
			expect(answer.json).toMatchObject({
				event: 'message',
				mode: 'chat',
				answer: '你好',
				metadata: { annotation_reply: null },
			});
			expect(answer.json.id).toBe(answer.json.message_id);
			const usage = (answer.json.metadata as { usage: Record<string, unknown> }).usage;
			expect(usage.prompt_unit_price).toBe('0.0000010');
			const again = await chat(sim, {
				response_mode: 'blocking',
				conversation_id: answer.json.conversation_id,
			});
			expect(again.json.conversation_id).toBe(answer.json.conversation_id);
			const unknown = await chat(sim, { conversation_id: UNKNOWN_ID });
			expect([unknown.status, unknown.json.message]).toEqual([
				404,
				'Conversation Not Exists. You have requested this URI [/v1/chat-messages] but did you mean /v1/chat-messages or /api/chat-messages or /v1/chat-messages/<string:task_id>/stop ?',
			]);
		},
	);

	test('agents refuse blocking, app types refuse the routes of others', async () => {
		await start({ version: '2026' });
		const blocking = { response_mode: 'blocking' };
		expect((await chat(sim, blocking, { mode: 'agent-chat' })).json).toEqual({
			code: 'invalid_param',
			message: 'Agent Chat App does not support blocking mode',
			status: 400,
		});
		expect((await chat(sim, blocking, { mode: 'agent' })).json.message).toBe(
			'Agent App only supports streaming response mode.',
		);
		const json = { inputs: {}, user: 'u1' };
		expect((await chat(sim, {}, { mode: 'completion' })).json.code).toBe('not_chat_app');
		expect((await ask(sim, 'POST', '/completion-messages', { json })).json.code).toBe(
			'app_unavailable',
		);
		expect((await ask(sim, 'POST', '/workflows/run', { json })).json.code).toBe('not_workflow_app');
	});

	test('New Agent repeats the whole answer before message_end, without retriever resources', async () => {
		await startApp({ mode: 'agent', reply: replying(['Hel', 'lo']) });
		const events = eventsOf((await chat(sim, {}, { mode: 'agent' })).text);
		expect(events.map(({ event, answer }) => [event, answer])).toEqual([
			['agent_thought', undefined],
			['agent_message', 'Hel'],
			['agent_message', 'lo'],
			['agent_thought', undefined],
			['message', 'Hello'],
			['message_end', undefined],
		]);
		expect(events.at(-1)?.metadata).not.toHaveProperty('retriever_resources');
	});

	test("text chunks of easy apps are called message_file: any file in 1.12, the assistant's later", async () => {
		const files = [{ type: 'image', transfer_method: 'remote_url', url: 'http://h/a.png' }];
		for (const version of SIM_VERSIONS) {
			await startApp(
				{ mode: 'chat', fileUpload: { enabled: true }, reply: replying(['a', 'b']) },
				{ version },
			);
			const label = version === '1.12' ? 'message_file' : 'message';
			expect(namesOf((await chat(sim, { files })).text)).toEqual([label, label, 'message_end']);
			await sim.close();
		}
		const steps: Step[] = [{ file: { type: 'image', url: '/x.png' } }, { text: 'see' }];
		await startApp({ mode: 'chat', reply: replying({ steps }) });
		expect(eventsOf((await chat(sim)).text)).toMatchObject([
			{ event: 'message_file', url: '/x.png' },
			{ event: 'message_file', answer: 'see' },
			{ event: 'message_end' },
		]);
	});

	const tail = (answer: Answer, count: number) => namesOf(answer.text).slice(-count);
	const ending = { '1.12': [], '1.14': [], '1.16': [], '2026': [] } as Record<
		SimVersion,
		string[][]
	>;

	test.each(SIM_VERSIONS)(
		'chatflow: success, failure, stop and moderation end as in docs/protocols/dify.md 3.6 (%s)',
		async (version) => {
			const mode = 'advanced-chat';
			const steps: Step[] = [
				{ node: { id: 'n1' } },
				{ text: 'part' },
				{ node: { id: 'n2', status: 'failed', error: 'boom' } },
			];
			let reply: Reply = 'fine';
			await startApp({ mode, reply: () => reply }, { version, stream: { pingEveryMs: 5 } });
			ending[version].push(tail(await chat(sim, {}, { mode }), 2));
			reply = { steps, fail: 'boom' };
			const failed = await chat(sim, {}, { mode });
			ending[version].push(tail(failed, 3));
			reply = { steps: [{ text: 'wait' }, { wait: 5000 }, { text: 'never' }] };
			const stopped = await stopWhen(mode, 'wait');
			expect(stopped.text).not.toContain('never');
			ending[version].push(tail(stopped, 2));
			reply = { steps: [{ text: 'No.' }], moderated: true };
			// Nothing more is said, not even a ping, until the silence is over.
			const done = (text: string) => text.includes('message_end');
			const moderated = await chat(sim, {}, { mode, until: version === '1.12' ? undefined : done });
			expect(namesOf(moderated.text)).toEqual(['message', 'message_end']);
			expect(moderated.end).toBe(version === '1.12' ? 'end' : 'left');
			const expected: Record<SimVersion, string[][]> = {
				'1.12': [
					['workflow_finished', 'message_end'],
					['node_finished', 'workflow_finished', 'error'],
					['workflow_finished', 'message_end'],
				],
				'1.14': [
					['message_end', 'workflow_finished'],
					['node_started', 'node_finished', 'workflow_finished'],
					['message', 'workflow_finished'],
				],
				'1.16': [
					['message_end', 'workflow_finished'],
					['node_started', 'node_finished', 'workflow_finished'],
					['message', 'workflow_finished'],
				],
				'2026': [
					['message_end', 'workflow_finished'],
					['message_replace', 'message_end', 'workflow_finished'],
					['message_end', 'workflow_finished'],
				],
			};
			expect(ending[version]).toEqual(expected[version]);
		},
	);

	async function stopWhen(mode: 'chat' | 'advanced-chat', seen: string): Promise<Answer> {
		const running = chat(sim, {}, { mode });
		await waitFor(() =>
			sim.runs.some(
				(run) => run.status === 'running' && run.events.some((event) => event.answer === seen),
			),
		);
		const run = sim.runs.at(-1);
		const stop = await ask(sim, 'POST', `/chat-messages/${run?.taskId ?? ''}/stop`, {
			mode,
			json: { user: 'u1' },
		});
		expect(stop.json).toEqual({ result: 'success' });
		return await running;
	}

	test('stop: chat by its user only, and always success', async () => {
		await startApp({
			mode: 'chat',
			reply: replying({ steps: [{ text: 'one' }, { wait: 5000 }, { text: 'two' }] }),
		});
		const path = '/chat-messages/none/stop';
		expect((await ask(sim, 'POST', path, { json: { user: 'u1' } })).json).toEqual({
			result: 'success',
		});
		expect((await ask(sim, 'POST', path, { json: {} })).json.message).toBe(
			'Arg user must be provided.',
		);
		expect((await ask(sim, 'POST', path)).status).toBe(415);
		const answer = await stopWhen('chat', 'one');
		expect(namesOf(answer.text)).toEqual(['message', 'message_end']);
		expect(sim.stops.map(({ hit }) => hit)).toEqual([false, true]);
		expect(sim.runs.at(-1)?.status).toBe('stopped');
	});

	test.each(SIM_VERSIONS)('errors before and in a run (%s)', async (version) => {
		const error: Step = { error: { code: 'completion_request_error', status: 400, message: null } };
		const apps = defaultApps(version).map((app) => ({
			...app,
			reply: replying({ steps: [{ text: 'x' }, error] }),
		}));
		await start({ version, apps, stream: { pingEveryMs: 5 } });
		const heldOpen = (text: string) => /"event":"error"[^]*event: ping/.test(text);
		const inRun = await chat(sim, {}, { until: version === '2026' ? heldOpen : undefined });
		expect(eventsOf(inRun.text).at(-1)).toEqual({
			event: 'error',
			conversation_id: sim.runs[0]?.conversationId,
			message_id: sim.runs[0]?.messageId,
			created_at: sim.runs[0]?.startedAt,
			code: 'completion_request_error',
			message: null,
			status: 400,
		});
		expect(inRun.end).toBe(version === '2026' ? 'left' : 'end');
		// The error event is the end, even if the stream stays open in silence.
		const held = ['1.12', '1.16'].includes(version)
			? undefined
			: (text: string) => text.includes('"event":"error"');
		const before = await chat(sim, { query: '' }, { mode: 'advanced-chat', until: held });
		if (version === '1.12') {
			expect(before.json).toMatchObject({
				code: 'invalid_param',
				message: 'query is required',
				status: 400,
			});
		} else if (version === '1.16') {
			expect(eventsOf(before.text)).toMatchObject([
				{ event: 'workflow_started' },
				{
					event: 'workflow_finished',
					data: { status: 'failed', error: 'query is required', total_steps: 0 },
				},
			]);
		} else {
			expect(eventsOf(before.text)).toEqual([
				{ event: 'error', message: 'query is required', status: 500 },
			]);
		}
		const unknown = await chat(
			sim,
			{ conversation_id: UNKNOWN_ID },
			{ mode: 'advanced-chat', until: held },
		);
		expect(unknown.status).toBe(version === '1.14' ? 200 : 404);
		// 1.14 silently begins a new conversation.
		if (version === '1.14') expect(sim.runs.at(-1)?.conversationId).not.toBe(UNKNOWN_ID);
	});

	test('concurrency is 400 or 429, the quota always 429', async () => {
		for (const version of SIM_VERSIONS) {
			const reply = replying({ steps: [{ wait: 60_000 }] });
			await startApp({ mode: 'chat', maxActive: 1, quota: 1, reply }, { version });
			const first = chat(sim);
			await waitFor(() => sim.runs.length === 1);
			expect((await chat(sim)).json).toMatchObject({ code: 'rate_limit_error', status: 429 });
			sim.app('chat').quota = undefined;
			const second = await chat(sim);
			expect(second.json).toMatchObject(
				version === '2026'
					? { code: 'too_many_requests', status: 429 }
					: { code: 'invalid_param', status: 400 },
			);
			expect(second.json.message).toMatch(/^Too many requests\. Please try again later\./);
			await ask(sim, 'POST', `/chat-messages/${sim.runs[0]?.taskId}/stop`, {
				json: { user: 'u1' },
			});
			expect((await first).status).toBe(200);
			await sim.close();
		}
	});

	test('workflow: versions that are none', async () => {
		for (const version of SIM_VERSIONS) {
			await startApp({ mode: 'workflow' }, { version });
			const mode = 'workflow';
			const json = { inputs: {}, user: 'u1' };
			const wrong = await ask(sim, 'POST', '/workflows/x/run', { mode, json });
			expect(wrong.json).toMatchObject({
				code: 'bad_request',
				message: "Invalid workflow_id format: 'x'. ",
			});
			const none = await ask(sim, 'POST', `/workflows/${UNKNOWN_ID}/run`, { mode, json });
			expect(none.json.message).toBe(`Workflow not found with id: ${UNKNOWN_ID}`);
			await sim.close();
		}
	});

	test('human input: pause, form, resumption on the events route', async () => {
		const mode = 'advanced-chat';
		const pause: Step = {
			pause: [
				{ nodeId: 'ask', nodeTitle: 'Ask', content: 'OK?', actions: [{ id: 'yes', title: 'Yes' }] },
			],
		};
		await startApp(
			{ mode, reply: replying({ steps: [{ text: 'a' }, pause, { text: 'b' }] }) },
			{ version: '1.14' },
		);
		const first = await chat(sim, {}, { mode });
		expect(namesOf(first.text).slice(-2)).toEqual(['human_input_required', 'workflow_paused']);
		const token = String((eventsOf(first.text).at(-2)?.data as Record<string, unknown>).form_token);
		const path = `/form/human_input/${token}`;
		expect((await ask(sim, 'GET', path, { mode })).json).toMatchObject({
			form_content: 'OK?',
			user_actions: [{ id: 'yes' }],
		});
		const bad = await ask(sim, 'POST', path, {
			mode,
			json: { user: 'u1', inputs: {}, action: 'no' },
		});
		expect(bad.json.code).toBe('invalid_form_data');
		const rest = ask(sim, 'GET', `/workflow/${sim.runs[0]?.workflowRunId}/events?user=u1`, {
			mode,
		});
		await waitFor(() => sim.requests.some(({ path: each }) => each.endsWith('/events')));
		expect(
			(await ask(sim, 'POST', path, { mode, json: { user: 'u1', inputs: {}, action: 'yes' } }))
				.json,
		).toEqual({});
		expect(namesOf((await rest).text)).toEqual([
			'workflow_started',
			'human_input_form_filled',
			'message',
			'message_end',
			'workflow_finished',
		]);
		expect(
			(await ask(sim, 'POST', path, { mode, json: { user: 'u1', inputs: {}, action: 'yes' } }))
				.json,
		).toMatchObject({
			code: 'human_input_form_submitted',
			status: 412,
		});
	});

	test.each([
		['chat', '1.12', ''],
		['chat', '1.14', ''],
		['advanced-chat', '1.12', ''],
		['advanced-chat', '1.14', 'one two'],
	] as const)(
		'a client that leaves does not end the run: %s, %s',
		async (mode, version, stored) => {
			const left = Promise.withResolvers<void>();
			await startApp(
				{
					mode,
					reply: replying({ steps: [{ text: 'one' }, { wait: left.promise }, { text: ' two' }] }),
				},
				{ version },
			);
			await chat(sim, {}, { mode, until: (text) => text.includes('one') });
			await waitFor(() => sim.runs[0]?.clientLeft === true);
			left.resolve();
			await waitFor(() => sim.runs[0]?.status !== 'running');
			expect(sim.runs[0]).toMatchObject({
				clientLeft: true,
				status: 'succeeded',
				answer: 'one two',
			});
			// The message is saved while its stream is read; only the worker of newer versions needs no reader.
			const list = await ask(
				sim,
				'GET',
				`/messages?user=u1&conversation_id=${sim.runs[0]?.conversationId}`,
				{ mode },
			);
			expect(list.json.data).toMatchObject([{ answer: stored, status: 'normal' }]);
		},
	);
});

describe('feedback (docs/protocols/dify.md 4)', () => {
	test('create, overwrite with content, revoke, and what is refused', async () => {
		await start();
		const { message_id: id } = (await chat(sim, { response_mode: 'blocking' })).json;
		const rate = async (json: Record<string, unknown>, message = id) =>
			(
				await ask(sim, 'POST', `/messages/${String(message)}/feedbacks`, {
					json: { user: 'u1', ...json },
				})
			).json;
		const stored = () => sim.app('chat').feedbacks.map(({ rating, content }) => [rating, content]);
		const done = { result: 'success' };
		expect(await rate({ rating: 'like' })).toEqual(done);
		expect(await rate({ rating: 'dislike', content: 'bad' })).toEqual(done);
		expect(stored()).toEqual([['dislike', 'bad']]);
		expect(await rate({ rating: 'like' })).toEqual(done);
		expect(stored()).toEqual([['like', null]]);
		expect(await rate({ content: 'kept?' })).toEqual(done);
		expect(stored()).toEqual([]);
		expect(await rate({ rating: null })).toEqual({
			code: 'invalid_param',
			message: 'rating cannot be None when feedback not exists',
			status: 400,
		});
		for (const rating of ['', 'LIKE', 1, true, 'neutral']) {
			expect((await rate({ rating })).message).toContain("Input should be 'like' or 'dislike'");
		}
		expect((await rate({ rating: 'like', content: 5 })).message).toContain(
			'Input should be a valid string',
		);
		const nobody = { code: 'not_found', message: 'Message Not Exists.', status: 404 };
		expect(await rate({ rating: 'like' }, UNKNOWN_ID)).toEqual(nobody);
		expect(await rate({ rating: 'like', user: 'u2' })).toEqual(nobody);
		const app = sim.app('chat');
		const foreign = sim.store.addConversation(app, 'u1', { source: 'webapp' });
		expect(await rate({ rating: 'like' }, sim.store.addMessage(app, foreign).id)).toEqual(nobody);
	});
});

describe('conversations, files, knowledge', () => {
	test.each(SIM_VERSIONS)('list, rename, variables, delete (%s)', async (version) => {
		const mode = 'advanced-chat';
		await startApp(
			{ mode, variables: [{ name: 'mood', valueType: 'string', value: 'calm' }] },
			{ version },
		);
		const { conversation_id: id } = (await chat(sim, { response_mode: 'blocking' }, { mode })).json;
		const path = `/conversations/${String(id)}`;
		const list = async (query: string) =>
			await ask(sim, 'GET', `/conversations?${query}`, { mode });
		expect((await list('user=u1&pinned=true')).json).toMatchObject({
			limit: 20,
			has_more: false,
			data: [{ id, name: 'hi' }],
		});
		expect((await list('')).json.data).toEqual([]);
		expect((await list('limit=101')).json.message).toContain('less than or equal to 100');
		expect((await list(`user=u1&last_id=${UNKNOWN_ID}`)).json.message).toMatch(
			/^Last Conversation Not Exists\. You have/,
		);
		const rename = async (json: Record<string, unknown>) =>
			(await ask(sim, 'POST', `${path}/name`, { mode, json: { user: 'u1', ...json } })).json;
		expect(await rename({ name: ' ' })).toMatchObject({ status: 400 });
		expect(await rename({ name: 'New' })).toMatchObject({ name: 'New' });
		expect(await rename({ auto_generate: true })).toMatchObject({ name: 'About hi' });
		const variables = (await ask(sim, 'GET', `${path}/variables?user=u1`, { mode })).json
			.data as Array<{ id: string }>;
		expect(variables).toMatchObject([{ name: 'mood', value: 'calm' }]);
		const put = async (value: unknown) =>
			(
				await ask(sim, 'PUT', `${path}/variables/${variables[0]?.id}`, {
					mode,
					json: { user: 'u1', value },
				})
			).json;
		expect((await put(5)).message).toBe(
			"Type mismatch: variable 'mood' expects string, but got number type",
		);
		expect(await put('glad')).toMatchObject({ value: 'glad' });
		expect((await ask(sim, 'DELETE', path, { mode })).status).toBe(415);
		const foreign = await ask(sim, 'DELETE', `/conversations/${UNKNOWN_ID}`, {
			mode,
			json: { user: 'u1' },
		});
		expect(foreign.status).toBe(version === '1.12' ? 204 : 404);
		const gone = await ask(sim, 'DELETE', path, { mode, json: { user: 'u1' } });
		expect([gone.status, gone.text]).toEqual([204, '']);
		expect(sim.app(mode).conversations.size).toBe(0);
	});

	test('upload: every byte is kept; what is too large for nginx never arrives', async () => {
		await start({ nginxBodyLimit: 5000 });
		const user = { name: 'user', content: 'u1' };
		const png = {
			name: 'file',
			filename: 'a.png',
			type: 'image/png',
			content: Buffer.from([1, 2, 13, 10, 3]),
		};
		const up = async (...parts: Parameters<typeof form>[0]) =>
			await ask(sim, 'POST', '/files/upload', form([...parts, user]));
		const good = await up(png);
		expect(good.status).toBe(201);
		expect(good.json).toMatchObject({
			name: 'a.png',
			size: 5,
			extension: 'png',
			mime_type: 'image/png',
			user_id: null,
		});
		const kept = [...sim.store.files.values()][0];
		expect([...(kept?.content ?? [])]).toEqual([1, 2, 13, 10, 3]);
		expect((await up({ ...png, content: 'x'.repeat(6000) })).text).toBe(PAGES.nginx413);
	});

	test('an upload is the same however its bytes arrive, and only its beginning is kept', () => {
		const near = fc.constantFrom(
			'\r\n',
			'\r\n--',
			'\r\n------test-boundar',
			'--',
			'\r',
			'é',
			'\u0000',
		);
		// A sender chooses a boundary that its content does not hold.
		const content = fc
			.array(fc.oneof(near, fc.string()), { maxLength: 8 })
			.map((pieces) => Buffer.from(pieces.join('')))
			.filter((bytes) => !bytes.includes('\r\n------test-boundary'));
		fc.assert(
			fc.property(content, fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
				const { raw } = form([
					{ name: 'user', content: 'u1' },
					{ name: 'file', filename: 'a b.txt', type: 'text/plain', content: bytes },
				]);
				const reader = new MultipartReader('----test-boundary', 4);
				const at = [...cuts.map((cut) => cut % raw.length), raw.length].sort(
					(one, other) => one - other,
				);
				at.forEach((end, index) => reader.push(raw.subarray(at[index - 1] ?? 0, end)));
				expect(reader.upload.fields).toEqual({ user: 'u1' });
				expect(reader.upload.parts).toHaveLength(1);
				const sha256 = createHash('sha256').update(bytes).digest('hex');
				expect(reader.upload.parts[0]).toMatchObject({
					name: 'file',
					mimeType: 'text/plain',
					size: bytes.length,
					sha256,
				});
				expect(Buffer.from(reader.upload.parts[0]?.content ?? [])).toEqual(bytes.subarray(0, 4));
			}),
		);
	});

	test('a file of another user: taken by 1.12, refused later', async () => {
		const parts = form([
			{ name: 'user', content: 'u2' },
			{ name: 'file', filename: 'a.png', type: 'image/png', content: 'x' },
		]);
		for (const version of SIM_VERSIONS) {
			await start({ version });
			const { id } = (await ask(sim, 'POST', '/files/upload', parts)).json;
			const local = { type: 'image', transfer_method: 'local_file', upload_file_id: id };
			expect((await chat(sim, { files: [local] })).status).toBe(version === '1.12' ? 200 : 400);
			await sim.close();
		}
	});

	test('knowledge: create and retrieve', async () => {
		await start({ version: '1.12' });
		const key = knowledgeKey();
		const post = async (path: string, json: unknown) =>
			(await ask(sim, 'POST', path, { key, json })).json;
		const { id } = await post('/datasets', { name: 'Papers' });
		const path = `/datasets/${String(id)}`;
		expect(await post('/datasets', { name: 'Papers' })).toMatchObject({
			code: 'dataset_name_duplicate',
			status: 409,
		});
		expect(await post(`${path}/retrieve`, { query: 'x' })).toMatchObject({
			code: 'dataset_not_initialized',
		});
		expect(await post(`${path}/document/create-by-text`, { name: 'n', text: 't' })).toMatchObject({
			status: 500,
		});
		await post(`${path}/document/create_by_text`, {
			name: 'n',
			text: 'blue sky',
			indexing_technique: 'economy',
		});
		// Without vectors, the setting of the base finds nothing.
		expect(await post(`${path}/retrieve`, { query: 'sky' })).toMatchObject({ records: [] });
		const byWord = {
			search_method: 'keyword_search',
			reranking_enable: false,
			score_threshold_enabled: false,
			top_k: 3,
		};
		expect(await post(`${path}/retrieve`, { query: 'sky', retrieval_model: byWord })).toMatchObject(
			{
				records: [{ segment: { content: 'blue sky' } }],
			},
		);
	});
});

describe('transport knobs', () => {
	const TEXT = 'naïve 你好 😀 end';
	const plain = async (stream: DifySimOptions['stream'], reply: Reply = [TEXT]) => {
		await startApp({ mode: 'chat', reply: replying(reply) }, { ...SHORT, stream });
		return await chat(sim);
	};
	const noSplit = async () => {
		const { text } = await plain({});
		await sim.close();
		return text;
	};

	test('one byte per write, splits in characters, given offsets: the same bytes in other pieces', async () => {
		const whole = await noSplit();
		for (const stream of [
			{ bytesPerWrite: 1 },
			{ bytesPerWrite: [2, 3, 5] },
			{ splitInsideUtf8: true },
			{ splitAt: [5, 6] },
		]) {
			const answer = await plain(stream);
			expect(answer.text).toBe(whole);
			expect(answer.chunks.length).toBeGreaterThan(2);
			if ('splitInsideUtf8' in stream) {
				expect(answer.chunks.some((chunk) => ((chunk[0] ?? 0) & 0xc0) === 0x80)).toBe(true);
			}
			await sim.close();
		}
		await start();
	});

	test('two and a half events in one write, CRLF, no last blank line', async () => {
		const { chunks } = await plain({ eventsPerWrite: 2.5 }, ['a', 'b', 'c', 'd']);
		expect(chunks[0]?.toString().match(/data: /g)).toHaveLength(3);
		expect(chunks[0]?.toString().endsWith('\n\n')).toBe(false);
		await sim.close();
		const whole = await noSplit();
		expect((await plain({ crlf: true })).text).toBe(whole.replaceAll('\n', '\r\n'));
		await sim.close();
		expect((await plain({ omitFinalBlank: true })).text).toBe(whole.trimEnd());
	});

	test('pings: glued to the next event, and on time in silence', async () => {
		expect(
			(await plain({ pingBeforeEach: true })).text.match(/event: ping\n\ndata: /g),
		).toHaveLength(2);
		await sim.close();
		const slow = await plain({ pingEveryMs: 5 }, { steps: [{ wait: 60 }, { text: 'x' }] });
		expect(slow.text.indexOf('event: ping')).toBe(0);
	});

	test('cuts: end without a terminal event, reset, silence', async () => {
		const cut = async (how: 'eof' | 'reset') =>
			await plain({ cut: { events: 2, how } }, ['a', 'b', 'c']);
		expect(namesOf((await cut('eof')).text)).toEqual(['message', 'message']);
		await sim.close();
		expect((await cut('reset')).end).toBe('broken');
		await sim.close();
		const bytes = await plain({ cut: { bytes: 30, how: 'eof' } });
		expect(bytes.chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(30);
		await sim.close();
		await startApp(
			{ mode: 'chat' },
			{ stream: { cut: { events: 1, how: 'silence' }, pingEveryMs: 5 } },
		);
		const silent = chat(sim).catch(() => 'broken');
		await waitFor(() => sim.runs[0]?.status === 'succeeded');
		await delay(20);
		await sim.close();
		expect(await silent).toMatchObject({ end: 'broken' });
	});

	test('open after the end until the idle limit, other order, blocking instead of a stream, delays', async () => {
		const open = await plain({ holdOpen: true, pingEveryMs: 20, idleLimitMs: 2000 });
		expect(open.text).toMatch(/message_end[^]*event: ping\n\n$/);
		await sim.close();
		expect(namesOf((await plain({ reorder: (items) => items.toReversed() })).text)).toEqual([
			'message_end',
			'message',
		]);
		await sim.close();
		const { headers, json } = await plain({ blockingInstead: true });
		expect([headers['content-type'], json.answer]).toEqual([
			'application/json; charset=utf-8',
			TEXT,
		]);
		await sim.close();
		const begun = performance.now();
		await plain({ firstDelayMs: 30, delayMs: 20 });
		expect(performance.now() - begun).toBeGreaterThan(45);
	});

	test('pages of others, resets before an answer, and as often as told', async () => {
		await start();
		sim.fail({ path: '/info', status: 524, body: PAGES.cloudflare524, times: 2 });
		sim.fail({
			method: 'POST',
			status: 429,
			body: PAGES.cloudflare1015,
			contentType: 'text/plain',
		});
		sim.fail({ path: /meta$/, how: 'reset' });
		expect((await ask(sim, 'GET', '/info')).status).toBe(524);
		expect((await ask(sim, 'GET', '/info')).status).toBe(524);
		expect((await ask(sim, 'GET', '/info')).status).toBe(200);
		expect((await chat(sim)).text).toBe('error code: 1015');
		await expect(ask(sim, 'GET', '/meta')).rejects.toThrow('ECONNRESET');
	});

	test('closes at once, whatever is going on', async () => {
		await startApp({ mode: 'chat', reply: replying({ steps: [{ text: 'x' }, { wait: 60_000 }] }) });
		const running = [chat(sim), chat(sim, { response_mode: 'blocking' }).catch(() => 'broken')];
		await waitFor(() => sim.runs.length === 2);
		const begun = performance.now();
		await sim.close();
		expect(performance.now() - begun).toBeLessThan(AT_ONCE_MS);
		expect(await Promise.all(running)).toMatchObject([{ end: 'broken' }, 'broken']);
	});
});
