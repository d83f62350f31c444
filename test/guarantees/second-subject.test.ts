/**
 * Everything that is kept meets a second subject: A, then B at one server, where B differs in exactly one part. B sends what it
 * sends alone, and gets the same, unless `SHARED` says why not. A new store has no row until it is added here.
 */
import { enforceStrictRoles } from '../../lib/chat/body/strict-roles';
import { cacheToolCalls, toolCallCache } from '../../lib/chat/tools/tool-call-cache';
import { DifyClient } from '../../lib/dify/client';
import { asServerErrorOrThrow } from '../../lib/errors/server-error';
import { omitRejectedField } from '../../lib/exchange/omit-rejected-field';
import type { KeptName } from '../../lib/kept';
import { forgetAll, KEPT } from '../../lib/kept';
import { hasAnswered, storeAnswer } from '../../lib/http/answered-origins';
import { readSchema } from '../../lib/langchain/json-schema';
import type { ToJsonSchema } from '../../lib/langchain/json-schema';
import { createModelServer } from '../../lib/servers/endpoint';
import { openMemory } from '../../lib/servers/execution-memory';
import { listModels } from '../../lib/servers/list-models';
import { getProfile } from '../../lib/servers/profile';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { runTextTask } from '../../lib/tasks/run-text-task';
import type { BatchedTask } from '../../lib/task-limits';
import { asArray } from '../../lib/values/records';
import { withResolvedModel } from '../../nodes/shared/fields/model-selection';
import { combine } from '../support/approved/outcome';
import { runExchange } from '../lib/exchange/scripted-exchange';
import { transport } from '../lib/exchange/scripted-transport';
import type { Reply } from '../lib/exchange/scripted-transport';
import { OPTIONS } from '../lib/tasks/media';
import { createDeferred } from '../support/waiting/deferred';
import { setImmediate } from 'node:timers/promises';

jest.mock('../../lib/http/send-request', () =>
	jest.requireActual<object>('../lib/exchange/scripted-transport'),
);
jest.mock('../../lib/http/sleep', () =>
	jest.requireActual<object>('../support/waiting/still-clock'),
);

/** Who uses a server, for what. */
interface Subject {
	model: string;
	task: 'embed' | 'rerank';
	/** Of an option, or of an ID. */
	value: number;
	apiKey: string;
	executionId: string;
	/** The server object of a run of a node. */
	run: number;
	/** Of the server. */
	path: string;
	host: string;
}

const FIRST: Subject = {
	model: 'a',
	task: 'embed',
	value: 1,
	apiKey: 'sk-first',
	executionId: '1',
	run: 1,
	path: 'one',
	host: 'first.test',
};
const SECOND: Subject = {
	model: 'b',
	task: 'rerank',
	value: 2,
	apiKey: 'sk-second',
	executionId: '2',
	run: 2,
	path: 'two',
	host: 'second.test',
};
type Part = keyof Subject;
const PARTS = Object.keys(FIRST) as Part[];

/** A server is an address with a credential. */
const SERVER = ['apiKey', 'path', 'host'] as const satisfies readonly Part[];

/** The clients of runs. */
const difyClients = new Map<string, DifyClient>();

/** The server objects of runs. */
const servers = new Map<string, ModelServer>();

function connect(subject: Subject, serverType = 'auto', suffix = ''): ModelServer {
	const { host, path, apiKey, executionId, run } = subject;
	const baseUrl = `http://${host}/${path}${suffix}`;
	const key = JSON.stringify([baseUrl, apiKey, executionId, run]);
	const server =
		servers.get(key) ??
		createModelServer(
			{ baseUrl, apiKey, authentication: 'bearer', serverType },
			{ helpers: {}, getExecutionId: () => executionId },
		);
	servers.set(key, server);
	return server;
}

const reject = (message: string, status = 400): Reply => ({ type: 'rejected', status, message });

/** Requests of which the test counts those that are read. */
let reads: string[] = [];
const readFrom = (routes: Readonly<Record<string, object>>) => (url: string) => {
	const { pathname } = new URL(url);
	const route = pathname.replace(/^\/\w+/, '');
	reads.push(route);
	return routes[route] ?? 404;
};

const withoutServer = (text: string): string =>
	text.replace(/http:\/\/\S*?test(?::\d+)?/g, 'SERVER').replace(/\/(?:one|two)\b/g, '');

/** Paths and fields of the requests of an exchange, and how it ended. */
async function send(
	server: ModelServer,
	{ model, task }: Subject,
	{ body = {}, ...options }: { body?: object } & Parameters<typeof runExchange>[2] = {},
): Promise<unknown> {
	const outcome = await runExchange(server, { ...body } as never, {
		model,
		learningScope: task,
		adaptations: {
			field: [omitRejectedField({ rows: [{ field: 'top_k', label: 'Top K', canOmit: true }] })],
			strictForm: [enforceStrictRoles],
		},
		...options,
	}).then(
		() => 'done',
		(error: unknown) => {
			const { type, suggestion } = asServerErrorOrThrow(error);
			return withoutServer(`${type}: ${suggestion}`);
		},
	);
	return {
		sent: transport.sent.map(({ url, body: sent }) =>
			[withoutServer(url), ...Object.keys(sent), asArray(sent.messages).length].join(' '),
		),
		outcome,
	};
}

const LLAMA_LIST = { data: [{ id: 'm', owned_by: 'llamacpp', meta: { n_ctx_train: 4096 } }] };

let conversions = 0;
/** n8n's converter. */
const convert = (() => {
	conversions += 1;
	return { type: 'object' };
}) as unknown as ToJsonSchema;

/** One use of a store, which reads and writes it. The same use again has another outcome. */
const USES: Readonly<Record<KeptName, (subject: Subject) => Promise<unknown>>> = {
	lessons: async (subject) => {
		transport.reply = ({ body }) =>
			'top_k' in body ? reject("Unknown parameter: 'top_k'") : { type: 'usable' };
		return await send(connect(subject, 'other'), subject, { body: { top_k: subject.value } });
	},
	lastingFailures: async (subject) => {
		transport.reply = () => reject('CUDA error', 500);
		return await send(connect(subject, 'other'), subject, { body: { n: subject.value } });
	},
	routes: async (subject) => {
		transport.reply = ({ url }) =>
			url.includes('/v1/') ? reject('Not Found', 404) : { type: 'usable' };
		return await send(connect(subject, 'other'), subject, {
			body: { n: subject.value },
			routes: ['rerank', 'rootRerank'],
		});
	},
	historyForms: async (subject) => {
		transport.reply = ({ body }) =>
			asArray(body.messages).length === 2 ? reject('No.') : { type: 'usable' };
		const message = { role: 'user', content: String(subject.value) };
		return await send(connect(subject, 'other'), subject, {
			body: { messages: [message, message] },
		});
	},
	waitsInVain: async (subject) => {
		transport.reply = () => reject('Busy', 429);
		return await send(connect(subject, 'other'), subject, { body: { n: subject.value } });
	},
	learnedLimits: async (subject) => {
		const { wait, open } = createDeferred();
		const server = connect(subject, 'other');
		const options = { priority: 'interactive', maxRetries: 1 } as const;
		transport.reply = () => reject('Busy', 429);
		transport.held = wait;
		transport.sent = [];
		const four = Array.from({ length: 4 }, async () => await send(server, subject, options));
		for (let turns = 0; turns < 20; turns++) await setImmediate();
		const atOnce = transport.sent.length;
		open();
		await Promise.all(four);
		transport.held = undefined;
		return atOnce;
	},
	answeredOrigins: async ({ host, path }) => {
		const url = `http://${host}/${path}`;
		const before = hasAnswered(url);
		storeAnswer(new URL(url).origin);
		return await Promise.resolve(before);
	},
	toolCalls: async ({ value }) => {
		const id = `call-${value}`;
		const cached = toolCallCache.get(id);
		cacheToolCalls({
			text: '',
			reasoning: 'Hm',
			toolCalls: [{ id, name: 'look', arguments: '{}' }],
		});
		return await Promise.resolve(cached);
	},
	convertedSchemas: async ({ value }) => {
		conversions = 0;
		readSchema({ safeParse: () => undefined, _def: { typeName: 'ZodLiteral', value } }, convert);
		return await Promise.resolve(conversions);
	},
	executions: async ({ executionId }) => {
		const memory = openMemory({ getExecutionId: () => executionId })();
		const before = memory.lessons.get('key');
		memory.lessons.set('key', []);
		return await Promise.resolve(before);
	},
	batches: async (subject) => {
		transport.reply = ({ body }) =>
			asArray(body.input).length > 2 ? reject('Too many texts', 413) : { type: 'usable' };
		transport.sent = [];
		const texts = Array.from({ length: 8 }, (_none, index) => ({ index, text: `${index}` }));
		await runTextTask(
			connect(subject, 'other'),
			{ ...OPTIONS, model: subject.model, batchSize: 8 },
			{
				routedTask: subject.task satisfies BatchedTask,
				texts,
				canTruncate: false,
				onFailure: ({ error }) => {
					throw error;
				},
				createRequest: async (batch) =>
					await Promise.resolve({
						task: subject.task,
						routes: ['openAiEmbeddings'],
						fields: [],
						texts: [],
						toBody: () => ({ input: batch.map(({ text }) => text), n: subject.value }),
						readResponse: async () => await Promise.resolve({ results: batch.map(() => 1) }),
					}),
			},
		);
		return transport.sent.map(({ body }) => asArray(body.input).length);
	},
	resolvedModels: async (subject) => {
		reads = [];
		transport.read = readFrom({ '/v1/models': LLAMA_LIST });
		const modelTask = subject.task === 'embed' ? 'embeddings' : 'chat';
		const server = connect(subject, 'other');
		await withResolvedModel({ model: '' }, { server, modelTask });
		return reads;
	},
	difyLookups: async (subject) => {
		reads = [];
		transport.read = readFrom({ '/v1/info': { name: 'a' }, '/v1/parameters': { name: 'b' } });
		const { executionId, run } = subject;
		const endpoint = connect(subject, 'other');
		const key = JSON.stringify([endpoint.id, executionId, run]);
		const client = difyClients.get(key) ?? new DifyClient(endpoint as never);
		difyClients.set(key, client);
		await client.getCached(subject.value === 1 ? '/info' : '/parameters');
		return reads;
	},
	serverFacts: async (subject) => {
		reads = [];
		transport.read = readFrom({ '/v1/models': LLAMA_LIST });
		const { name } = await getProfile(connect(subject)).fetchType();
		return [name, ...reads];
	},
	contradictions: async (subject) => {
		transport.read = readFrom({ '/v1/models': LLAMA_LIST });
		const profile = getProfile(connect(subject));
		await profile.fetchType();
		profile.forgetContradictedType({ headers: { 'x-litellm-version': '1' } });
		return profile.getCachedType()?.name ?? 'forgotten';
	},
	props: async (subject) => {
		transport.read = readFrom({
			'/v1/models': LLAMA_LIST,
			'/props': { total_slots: 2, default_generation_settings: { n_ctx: 4096 } },
		});
		const profile = getProfile(connect(subject, 'llamaServer'));
		reads = [];
		await profile.fetchProps(subject.model);
		return reads;
	},
	modelFacts: async (subject) => {
		transport.read = readFrom({
			'/v1/models': LLAMA_LIST,
			'/api/show': { capabilities: ['vision'] },
		});
		const profile = getProfile(connect(subject, 'ollama'));
		transport.sent = [];
		reads = [];
		const facts = await profile.fetchModelFacts(subject.model);
		return [facts?.id, ...reads, ...transport.sent.map(({ url }) => withoutServer(url))];
	},
	templateTokens: async (subject) => {
		transport.sent = [];
		await getProfile(connect(subject, 'ollama')).fetchTemplateTokens(subject.model, undefined);
		return transport.sent.map(({ url }) => withoutServer(url));
	},
	apiRoots: async (subject) => {
		transport.read = readFrom({ '/models': LLAMA_LIST });
		reads = [];
		await listModels(connect(subject, 'other'), {});
		return [...reads, withoutServer(getProfile(connect(subject, 'other')).getApiUrl())];
	},
	nativeAddresses: async (subject) => {
		transport.read = readFrom({
			'/api/tags': { models: [{ name: 'm' }] },
			'/v1/models': LLAMA_LIST,
		});
		const server = connect(subject, 'other', '/api');
		const before = getProfile(server).getAddress(server.url).api;
		await listModels(server, {});
		return withoutServer(before);
	},
	contextSizes: async (subject) =>
		await Promise.resolve(
			getProfile(connect(subject)).replaceContextSize(subject.model, subject.value) === undefined
				? 'none'
				: 'known',
		),
	reasoningStarts: async (subject) => {
		const profile = getProfile(connect(subject));
		const key = JSON.stringify([subject.model, subject.value]);
		const starts = profile.startsInReasoning(key);
		profile.storeReasoningStart(key, true);
		return await Promise.resolve(starts);
	},
};

/** Nothing is known, and no run has begun. */
function startProcess() {
	forgetAll();
	servers.clear();
	difyClients.clear();
	transport.read = undefined;
}

beforeEach(() => {
	// The same pauses each time.
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => jest.restoreAllMocks());

/** What of a second subject keeps a store apart; what does not, shares it, for the reason that `KEPT` says. */
const APART: Readonly<Record<KeptName, readonly Part[]>> = {
	lessons: ['model', 'task', ...SERVER, 'executionId'],
	lastingFailures: ['model', 'task', ...SERVER, 'executionId'],
	routes: ['model', 'task', ...SERVER],
	historyForms: ['model', 'task', ...SERVER],
	waitsInVain: ['model', ...SERVER],
	learnedLimits: ['model', ...SERVER],
	answeredOrigins: ['host'],
	toolCalls: ['value'],
	convertedSchemas: ['value'],
	executions: ['executionId'],
	batches: ['model', 'task', ...SERVER, 'executionId', 'run'],
	resolvedModels: ['task', ...SERVER, 'executionId', 'run'],
	difyLookups: ['value', ...SERVER, 'executionId', 'run'],
	serverFacts: SERVER,
	contradictions: SERVER,
	props: ['model', ...SERVER],
	modelFacts: ['model', ...SERVER],
	templateTokens: ['model', ...SERVER],
	apiRoots: SERVER,
	nativeAddresses: SERVER,
	contextSizes: ['model', ...SERVER],
	reasoningStarts: ['model', 'value', ...SERVER],
};

const NAMES = Object.keys(KEPT) as KeptName[];

test.each(NAMES)('%s: the same subject finds what it has taught', async (name) => {
	startProcess();
	const first = await USES[name](FIRST);
	expect(await USES[name](FIRST)).not.toEqual(first);
});

describe('a second subject that differs in one part', () => {
	const rows = combine({ name: NAMES, part: PARTS });

	test.each(rows.filter(({ name, part }) => APART[name].includes(part)))(
		'$name: another $part is as alone',
		async ({ name, part }) => {
			const second = { ...FIRST, [part]: SECOND[part] };
			startProcess();
			const alone = await USES[name](second);
			startProcess();
			await USES[name](FIRST);
			expect(await USES[name](second)).toEqual(alone);
		},
	);

	test.each(rows.filter(({ name, part }) => !APART[name].includes(part)))(
		'$name: another $part shares it, as its row says',
		async ({ name, part }) => {
			startProcess();
			await USES[name](FIRST);
			const again = await USES[name](FIRST);
			startProcess();
			await USES[name](FIRST);
			expect({
				because: KEPT[name].sharedBecause,
				outcome: await USES[name]({ ...FIRST, [part]: SECOND[part] }),
			}).toEqual({ because: expect.stringMatching(/\w/) as string, outcome: again });
		},
	);
});

const sendUsable = async (subject: Subject) => {
	transport.reply = () => ({ type: 'usable' });
	const options = { priority: 'interactive' } as const;
	await send(connect(subject, 'other'), subject, options);
};

/** What ends an entry before its time, so that the next use, run or queue is as the first one. */
const RECOVERIES: Partial<Record<KeptName, (subject: Subject) => Promise<unknown>>> = {
	lastingFailures: sendUsable,
	waitsInVain: sendUsable,
	learnedLimits: async (subject) => {
		for (let requests = 0; requests < 1_000; requests++) await sendUsable(subject);
	},
	reasoningStarts: async (subject) => {
		const key = JSON.stringify([subject.model, subject.value]);
		await Promise.resolve(getProfile(connect(subject)).storeReasoningStart(key, false));
	},
};

test.each(Object.entries(RECOVERIES))(
	'%s: after a recovery it is as the first time',
	async (name, recover) => {
		startProcess();
		const use = USES[name as KeptName];
		const first = await use(FIRST);
		await recover(FIRST);
		expect(await use(FIRST)).toEqual(first);
	},
);

test('everything is kept apart in all parts at once', async () => {
	for (const name of NAMES) {
		startProcess();
		const alone = await USES[name](SECOND);
		startProcess();
		await USES[name](FIRST);
		expect({ name, outcome: await USES[name](SECOND) }).toEqual({ name, outcome: alone });
	}
});
