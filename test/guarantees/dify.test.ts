/**
 * What users of Dify must not lose (README.md has the table). By node classes and their public parameters, against a
 * simulated Dify; nothing here knows how the package is built.
 */
import type { ILoadOptionsFunctions, ResourceMapperFields } from 'n8n-workflow';

import { appKey, PAGES, startDifySim } from '../simulators/dify';
import type { AppSpec, DifySim, Fault, Script, Step, StreamKnobs } from '../simulators/dify';
import { useSimulator } from '../simulators/use-simulator';
import type { ExecuteFake, ExecuteSetup } from '../support/n8n/execute-context';
import * as buffer from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import { useServers } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';
import { ACTION_NODES, execute, prepare } from '../recordings/support/dify-node-runner';
import type { ActionNode } from '../recordings/support/dify-node-runner';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

type Parameters = Record<string, unknown>;
type Mode = AppSpec['mode'];

const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });
const start = useSimulator(startDifySim);
const serve = useServers();

async function startApp(
	app: Partial<AppSpec> & { mode: Mode },
	stream: StreamKnobs = {},
): Promise<DifySim> {
	const spec = { key: appKey(app.mode), fileUpload: { enabled: false }, ...app };
	return await start({ apps: [spec], stream });
}

/** Message of n8n's failed item or thrown error; undefined if nothing failed. */
async function failureOf(work: Promise<unknown>): Promise<string | undefined> {
	return await work.then(
		() => undefined,
		(error: Error) => error.message,
	);
}

/** Waits for an event elsewhere in this process, but not indefinitely. */
async function until(happened: () => boolean): Promise<void> {
	for (let looks = 0; looks < 4_000 && !happened(); looks++) await delay(5);
}

/** A way to start a run. */
interface Start {
	mode: Mode;
	node: ActionNode;
	/** Resource and operation; empty for a node with one operation. */
	operation: string;
	/** Of Dify's route. */
	path: string;
	parameters: Parameters;
}

const CHAT: Start = {
	mode: 'chat',
	node: 'difyChatMessage',
	operation: '',
	path: '/chat-messages',
	parameters: { query: 'hi' },
};
const WORKFLOW: Start = {
	mode: 'workflow',
	node: 'difyWorkflow',
	operation: 'run execute',
	path: '/workflows/run',
	parameters: {},
};
const STARTS: Start[] = [
	CHAT,
	{ ...CHAT, mode: 'advanced-chat' },
	WORKFLOW,
	{
		mode: 'completion',
		node: 'difyApp',
		operation: 'text generate',
		path: '/completion-messages',
		parameters: { text: '' },
	},
];

const INPUTS = {
	user: 'u1',
	conversation: 'new',
	inputsMode: 'json',
	inputsJson: '{}',
	files: {},
	simplify: true,
	options: {},
};

function prepareRun(
	start: Start,
	sim: DifySim,
	parameters: Parameters = {},
	setup: Partial<ExecuteSetup> = {},
): ExecuteFake {
	const access = { baseUrl: sim.url, apiKey: appKey(start.mode) };
	const filled = { ...INPUTS, ...start.parameters, ...parameters };
	return prepare(start.node, start.operation, access, filled, setup);
}

/** What Dify says of a refusal. */
const refusal = (status: number, code: string, message: string) => ({
	status,
	contentType: 'application/json',
	body: JSON.stringify({ code, message, status }),
});

const startsOf = (sim: DifySim, path: string) =>
	sim.requests.filter((request) => request.method === 'POST' && request.path === path).length;

const typedIn = ({ chunks }: ExecuteFake) =>
	chunks.map(({ content }) => (typeof content === 'string' ? content : '')).join('');

const WORDS = ['One ', 'two ', 'three ', 'four.'];
const WHOLE = 'One two three four.';
const steps: Step[] = WORDS.map((text) => ({ text }));
const reply = () => ({ steps });

const QUOTA = 'Workflow execution quota limit reached';

describe.each(STARTS)('a run is never sent twice: $mode', (begin) => {
	test.each([
		['a proxy answers 502 after Dify took it', { status: 502 }],
		['a proxy answers 503 after Dify took it', { status: 503 }],
		['a proxy answers 504 after Dify took it', { status: 504 }],
		['a proxy answers 524 after Dify took it', { status: 524, body: PAGES.cloudflare524 }],
		['the quota of the plan is used up', refusal(429, 'rate_limit_error', QUOTA)],
		['Dify answers 500', refusal(500, 'internal_server_error', 'x')],
		['the connection breaks before the answer', { how: 'reset' as const }],
	])('a run is sent once if %s', async (_name, fault) => {
		const sim = await startApp({ mode: begin.mode, reply });
		sim.fail({ method: 'POST', path: begin.path, times: 9, ...fault });
		const fake = prepareRun(begin, sim, { options: { maxRetries: 9 } });
		expect(await failureOf(execute(begin.node, fake))).toBeDefined();
		expect(startsOf(sim, begin.path)).toBe(1);
	});

	const BUSY = 'Too many requests. Please try again later.';
	const bare = refusal(429, 'too_many_requests', BUSY).body;

	test.each<[string, Script]>([
		['an error', { steps: [{ text: 'One ' }, { error: { status: 429, message: BUSY } }] }],
		['a bare refusal', { steps: [{ text: 'One ' }, { raw: `data: ${bare}\n\n` }] }],
	])('after its first text, Dify reports an overload: %s', async (_name, script) => {
		const sim = await startApp({ mode: begin.mode, reply: () => script });
		const fake = prepareRun(begin, sim, { options: { maxRetries: 9 } }, { continueOnFail: true });
		const [item] = await execute(begin.node, fake);
		expect(startsOf(sim, begin.path)).toBe(1);
		const { taskId } = sim.runs[0]!;
		expect(item!.json.error).toMatchObject({ type: 'busy', taskId, retryable: false });
		expect(item!.json.error).toMatchObject({ answer: 'One ' });
	});

	const DOUBT =
		'A run may have started: check the logs of the app before you send the request again.';

	test.each<[string, Omit<Fault, 'path'>, boolean]>([
		['a proxy answers 502', { status: 502 }, true],
		['a proxy answers 504', { status: 504 }, true],
		['the connection breaks', { how: 'reset' }, true],
		['Dify refuses the key', refusal(401, 'unauthorized', 'Access token is invalid'), false],
		['Dify is too busy', refusal(429, 'too_many_requests', BUSY), false],
	])('the error says whether the run may continue: %s', async (_name, fault, isOpen) => {
		const sim = await startApp({ mode: begin.mode, reply });
		sim.fail({ method: 'POST', path: begin.path, times: 99, ...fault });
		const fake = prepareRun(begin, sim, {}, { continueOnFail: true });
		const [item] = await execute(begin.node, fake);
		const { description } = item!.json.error as { description: string };
		if (isOpen) expect(description).toContain(DOUBT);
		else expect(description).not.toContain(DOUBT);
	});

	test.each([1, 3])('the stream breaks after %i events', async (events) => {
		const sim = await startApp({ mode: begin.mode, reply }, { cut: { events, how: 'reset' } });
		await failureOf(execute(begin.node, prepareRun(begin, sim)));
		expect(startsOf(sim, begin.path)).toBe(1);
		expect(sim.runs).toHaveLength(1);
	});
});

test.each(STARTS.slice(0, 2))(
	'a run that began is not sent again in a new conversation: $mode',
	async (begin) => {
		const ended = { status: 400, code: 'conversation_completed', message: 'It has ended' };
		const scripts: Script[] = [{ steps }, { steps: [{ text: 'One ' }, { error: ended }] }];
		const sim = await startApp({ mode: begin.mode, reply: () => scripts.shift()! });
		const [first] = await execute(begin.node, prepareRun(begin, sim));
		const parameters = {
			conversation: 'byId',
			conversationId: byId(first!.json.conversationId),
			options: { onStaleConversation: 'startNew' },
		};
		const fake = prepareRun(begin, sim, parameters, { continueOnFail: true });
		const [item] = await execute(begin.node, fake);
		expect(item!.json.error).toMatchObject({ type: 'conversationEnded', answer: 'One ' });
		expect(startsOf(sim, begin.path)).toBe(2);
	},
);

describe('a lost stream of a known run still returns the complete result', () => {
	const recorded = STARTS.filter(({ mode }) => mode === 'advanced-chat' || mode === 'workflow');

	test.each(recorded.flatMap((begin) => [2, 4, 5].map((events) => ({ ...begin, events }))))(
		'$mode, after $events events',
		async ({ events, ...begin }) => {
			const sim = await startApp({ mode: begin.mode, reply }, { cut: { events, how: 'reset' } });
			const fake = prepareRun(begin, sim, {}, { streaming: true });
			const [item] = await execute(begin.node, fake);
			const { answer, outputs } = item!.json as {
				answer?: string;
				outputs?: Record<string, unknown>;
			};
			expect(answer ?? outputs?.text).toBe(WHOLE);
			expect(item!.json.status).toBe(begin.mode === 'workflow' ? 'succeeded' : undefined);
			if (begin.mode === 'advanced-chat') expect(typedIn(fake)).toBe(WHOLE);
		},
	);

	test('of an unknown run is an error with the text received so far', async () => {
		const sim = await startApp({ mode: 'chat', reply }, { cut: { events: 2, how: 'reset' } });
		const fake = prepareRun(CHAT, sim, {}, { continueOnFail: true });
		const [item] = await execute('difyChatMessage', fake);
		expect(item!.json.error).toMatchObject({ answer: 'One two ' });
	});
});

test.each(STARTS)('Stop reaches Dify: $mode', async (begin) => {
	const stop = new AbortController();
	const pendingSteps: Step[] = [{ text: 'One ' }, { wait: new Promise(() => {}) }];
	const sim = await startApp({ mode: begin.mode, reply: () => ({ steps: pendingSteps }) });
	const fake = prepareRun(begin, sim, {}, { streaming: true, signal: stop.signal });
	const running = failureOf(execute(begin.node, fake));
	await until(() => typedIn(fake).includes('One') || sim.runs[0]?.events.length === 3);
	stop.abort();
	await until(() => sim.stops.length > 0);
	expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, user: 'u1', hit: true }]);
	await running;
});

describe('a conversation is kept, and its messages are sent one after another', () => {
	const questions = ['a', 'b', 'c', 'd'];

	/** An app that notes which runs of a conversation overlap. */
	async function observed(): Promise<{ sim: DifySim; overlaps: string[] }> {
		const overlaps: string[] = [];
		const sim: DifySim = await startApp({
			mode: 'chat',
			reply: ({ query, conversationId }) => {
				const busy = sim.runs.filter(
					(run) =>
						run.status === 'running' &&
						run.conversationId === conversationId &&
						run.query !== query,
				);
				overlaps.push(...busy.map((run) => `${run.query} and ${query}`));
				return { steps };
			},
		});
		return { sim, overlaps };
	}

	async function firstConversation(sim: DifySim): Promise<string> {
		const [item] = await execute('difyChatMessage', prepareRun(CHAT, sim));
		return item!.json.conversationId as string;
	}

	test.each(['byId', 'latest'])('several items of one conversation: %s', async (conversation) => {
		const { sim, overlaps } = await observed();
		const id = await firstConversation(sim);
		const fake = prepareRun(
			CHAT,
			sim,
			{ conversation, conversationId: byId(id), options: { maxConcurrentItems: 4 } },
			{
				items: questions.map((query) => ({ json: { query } })),
				// In whatever format the ID is.
				perItem: questions.map((query, at) => ({
					query,
					conversationId: byId(at % 2 === 0 ? id : ` ${id.toUpperCase()} `),
				})),
			},
		);
		const items = await execute('difyChatMessage', fake);
		expect(items.map(({ json }) => json.conversationId)).toEqual(questions.map(() => id));
		expect(sim.runs.slice(1).map(({ query }) => query)).toEqual(questions);
		expect(sim.runs.slice(1).filter((run) => run.conversationId !== id)).toEqual([]);
		expect(overlaps).toEqual([]);
	});

	test('the ID of the first response continues its conversation in the next execution', async () => {
		const { sim } = await observed();
		const id = await firstConversation(sim);
		const next = { query: 'and then?', conversation: 'byId', conversationId: byId(id) };
		const [item] = await execute('difyChatMessage', prepareRun(CHAT, sim, next));
		expect(item!.json.conversationId).toBe(id);
		expect(sim.runs.map((run) => run.conversationId)).toEqual([id, id]);
	});
});

describe('text of a form that looks like an expression is text', () => {
	const EXPRESSION = '={{ $env.SECRET }}';

	async function formOf(mode: Mode, node: 'difyChatMessage' | 'difyWorkflow' | 'difyApp') {
		const sim = await startApp({
			mode,
			form: [
				{ kind: 'text-input', variable: 'city', label: EXPRESSION, default: EXPRESSION },
				{ kind: 'select', variable: 'unit', label: 'Unit', options: [EXPRESSION, 'F'] },
				{ kind: 'paragraph', variable: EXPRESSION, label: 'Text' },
			],
		});
		const context = {
			getCredentials: async () => ({ baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' }),
			getNode: () => ({
				name: 'Dify',
				type: node,
				typeVersion: 1,
				position: [0, 0],
				parameters: {},
				credentials: { difyApi: { id: '1', name: 'Dify' } },
			}),
			getNodeParameter: (_name: string, fallback: unknown) => fallback,
			getCurrentNodeParameter: () => undefined,
			helpers: {},
		} as unknown as ILoadOptionsFunctions;
		return await mapperOf(node).call(context);
	}

	function mapperOf(node: 'difyChatMessage' | 'difyWorkflow' | 'difyApp') {
		const { methods } = ACTION_NODES[node] as unknown as {
			methods: { resourceMapping: Record<string, Mapper> };
		};
		return Object.values(methods.resourceMapping)[0]!;
	}

	type Mapper = (this: ILoadOptionsFunctions) => Promise<ResourceMapperFields>;

	/** All texts of a value. */
	function textsIn(value: unknown): string[] {
		if (typeof value === 'string') return [value];
		if (typeof value !== 'object' || value === null) return [];
		return Object.values(value).flatMap(textsIn);
	}

	test.each([
		['advanced-chat', 'difyChatMessage'],
		['workflow', 'difyWorkflow'],
		['completion', 'difyApp'],
	] as const)('fields of the app in the editor: %s', async (mode, node) => {
		const { fields } = await formOf(mode, node);
		expect(fields.map(({ id }) => id)).toEqual(expect.arrayContaining(['city', 'unit']));
		// n8n evaluates texts that begin with an equals sign.
		expect(textsIn(fields).filter((text) => text.startsWith('='))).toEqual([]);
	});

	test('text that a user entered reaches Dify unchanged', async () => {
		const form = [{ kind: 'text-input' as const, variable: 'city', label: 'City' }];
		const sim = await startApp({ mode: 'workflow', form, reply });
		const inputsJson = JSON.stringify({ city: EXPRESSION });
		await execute('difyWorkflow', prepareRun(WORKFLOW, sim, { inputsJson }));
		expect(sim.runs[0]!.inputs).toMatchObject({ city: EXPRESSION });
	});
});

describe("files are fetched only from the credential's Dify or from Fetch Files From", () => {
	/** A host beside Dify. */
	const startOther = async () =>
		await serve({
			'GET /report.txt': (_request, response) => void response.end('other'),
			'GET /files/a.md': (_request, response) => void response.end('other'),
		});
	const keysSentTo = ({ requests }: ScriptedServer) =>
		requests.map(({ headers }) => headers.authorization);

	async function runWith(fileUrl: (sim: DifySim) => string, options: Parameters) {
		const sim: DifySim = await startApp({
			mode: 'workflow',
			reply: () => ({
				steps,
				outputs: {
					report: {
						dify_model_identity: '__dify__file__',
						id: null,
						filename: 'report.txt',
						extension: '.txt',
						mime_type: 'text/plain',
						type: 'document',
						transfer_method: 'tool_file',
						related_id: 'f1',
						size: 5,
						url: fileUrl(sim),
					},
				},
			}),
		});
		sim.fail({ method: 'GET', path: /report\.txt/, times: 9, status: 200, body: 'dify' });
		const fake = prepareRun(WORKFLOW, sim, { options: { include: ['files'], ...options } });
		const [item] = await execute('difyWorkflow', fake);
		const file = Object.values(item!.binary ?? {})[0]?.data;
		return file === undefined ? undefined : buffer.Buffer.from(file, 'base64').toString('utf8');
	}

	test('from the Dify of the credential, without the key: its URLs are signed', async () => {
		const dify: DifySim[] = [];
		const fileUrl = (sim: DifySim) => {
			dify.push(sim);
			return `${sim.origin}/files/tools/report.txt`;
		};
		expect(await runWith(fileUrl, {})).toBe('dify');
		const downloads = dify[0]!.requests.filter(({ path }) => path.endsWith('report.txt'));
		expect(downloads.map(({ headers }) => headers.authorization)).toEqual([undefined]);
	});

	test('not from another host', async () => {
		const other = await startOther();
		expect(await runWith(() => `${other.url}/report.txt`, {})).toBeUndefined();
		expect(keysSentTo(other)).toEqual([]);
	});

	test('from another host that the node names, without the key', async () => {
		const other = await startOther();
		const options = { fetchFilesFrom: other.url };
		expect(await runWith(() => `${other.url}/report.txt`, options)).toBe('other');
		expect(keysSentTo(other)).toEqual([undefined]);
	});
});
