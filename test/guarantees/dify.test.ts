/**
 * What users of Dify must not lose (README.md has the table). By node classes and their public parameters, against a
 * simulated Dify; nothing here knows how the package is built.
 */
import type { ILoadOptionsFunctions, INodeExecutionData, ResourceMapperFields } from 'n8n-workflow';

import {
	addDataset,
	addDocument,
	appKey,
	knowledgeKey,
	startDifySim,
	type AppSpec,
	type DifySim,
	type DifySimOptions,
	type Fault,
	type Script,
	type SimDataset,
	type SimDocument,
	type Step,
	type StreamKnobs,
} from '../simulators/dify';
import type { ExecuteFake, ExecuteSetup } from '../support/execute-context';
import { listen } from '../support/listen';
import { buffer, delay, http } from '../support/node-builtins';
import {
	ACTION_NODES,
	execute,
	prepare,
	supplyRetriever,
	type ActionNode,
} from '../recordings/support/dify-node-runner';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

type Parameters = Record<string, unknown>;
type Mode = AppSpec['mode'];

const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });
const closing: Array<() => Promise<void>> = [];

afterEach(async () => {
	await Promise.all(closing.splice(0).map(async (close) => await close()));
});

async function start(options: DifySimOptions = {}): Promise<DifySim> {
	const sim = await startDifySim(options);
	closing.push(sim.close);
	return sim;
}

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

/** The four ways to start a run. */
const STARTS: ReadonlyArray<{
	mode: Mode;
	node: ActionNode;
	operation: string;
	path: string;
	parameters: Parameters;
}> = [
	{
		mode: 'chat',
		node: 'difyChatMessage',
		operation: '',
		path: '/chat-messages',
		parameters: { query: 'hi' },
	},
	{
		mode: 'advanced-chat',
		node: 'difyChatMessage',
		operation: '',
		path: '/chat-messages',
		parameters: { query: 'hi' },
	},
	{
		mode: 'workflow',
		node: 'difyWorkflow',
		operation: 'run execute',
		path: '/workflows/run',
		parameters: {},
	},
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
	start: (typeof STARTS)[number],
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

describe.each(STARTS)('a run is never sent twice: $mode', (begin) => {
	test.each([
		['a proxy answers 502 after Dify took it', { status: 502 }],
		['a proxy answers 504 after Dify took it', { status: 504 }],
		[
			'Dify answers 500',
			{
				status: 500,
				contentType: 'application/json',
				body: '{"code":"internal_server_error","message":"x","status":500}',
			},
		],
		['the connection breaks before the answer', { how: 'reset' as const }],
	])('%s', async (_name, fault) => {
		const sim = await startApp({ mode: begin.mode, reply });
		sim.fail({ method: 'POST', path: begin.path, times: 9, ...fault });
		expect(await failureOf(execute(begin.node, prepareRun(begin, sim)))).toBeDefined();
		expect(startsOf(sim, begin.path)).toBe(1);
	});

	const BUSY = 'Too many requests. Please try again later.';
	const bare = refusal(429, 'too_many_requests', BUSY).body;

	const isFlow = begin.mode === 'advanced-chat' || begin.mode === 'workflow';

	test.each<[string, Script]>([
		['an error', { steps: [{ text: 'One ' }, { error: { status: 429, message: BUSY } }] }],
		...(isFlow ? [['its end', { steps: [{ text: 'One ' }], fail: BUSY }] as [string, Script]] : []),
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
		sim.fail({ method: 'POST', path: begin.path, times: 9, ...fault });
		const fake = prepareRun(begin, sim, {}, { continueOnFail: true });
		const [item] = await execute(begin.node, fake);
		const { description } = item!.json.error as { description: string };
		expect(description.includes(DOUBT)).toBe(isOpen);
	});

	test.each([1, 3])('the stream breaks after %i events', async (events) => {
		const sim = await startApp({ mode: begin.mode, reply }, { cut: { events, how: 'reset' } });
		await failureOf(execute(begin.node, prepareRun(begin, sim)));
		expect(startsOf(sim, begin.path)).toBe(1);
		expect(sim.runs).toHaveLength(1);
	});
});

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
		const fake = prepareRun(STARTS[0]!, sim, {}, { continueOnFail: true });
		const [item] = await execute('difyChatMessage', fake);
		expect(item!.json.error).toMatchObject({ answer: 'One two ' });
	});
});

describe('Stop reaches Dify', () => {
	test.each(STARTS)('$mode', async (begin) => {
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
		const [item] = await execute('difyChatMessage', prepareRun(STARTS[0]!, sim));
		return item!.json.conversationId as string;
	}

	test.each(['byId', 'latest'])('several items of one conversation: %s', async (conversation) => {
		const { sim, overlaps } = await observed();
		const id = await firstConversation(sim);
		const fake = prepareRun(
			STARTS[0]!,
			sim,
			{ conversation, conversationId: byId(id), options: { maxConcurrentItems: 4 } },
			{
				items: questions.map((query) => ({ json: { query } })),
				perItem: questions.map((query) => ({ query })),
			},
		);
		const items = await execute('difyChatMessage', fake);
		expect(items.map(({ json }) => json.conversationId)).toEqual(questions.map(() => id));
		expect(sim.runs.slice(1).map(({ query }) => query)).toEqual(questions);
		expect(sim.runs.slice(1).every((run) => run.conversationId === id)).toBe(true);
		expect(overlaps).toEqual([]);
	});

	test('the ID of the first response continues its conversation in the next execution', async () => {
		const { sim } = await observed();
		const id = await firstConversation(sim);
		const next = { query: 'and then?', conversation: 'byId', conversationId: byId(id) };
		const [item] = await execute('difyChatMessage', prepareRun(STARTS[0]!, sim, next));
		expect(item!.json.conversationId).toBe(id);
		expect(sim.runs.map((run) => run.conversationId)).toEqual([id, id]);
	});
});

interface Base {
	sim: DifySim;
	base: SimDataset;
}

async function startBase(over: Partial<SimDataset> = {}): Promise<Base> {
	const sim = await start();
	return {
		sim,
		base: addDataset(sim.store, { name: 'Papers', technique: 'high_quality', ...over }),
	};
}

function prepareKnowledge(
	{ sim, base }: Base,
	operation: string,
	parameters: Parameters,
	setup: Partial<ExecuteSetup> = {},
): ExecuteFake {
	const access = { baseUrl: sim.url, apiKey: knowledgeKey() };
	const filled = { difyDatasetId: byId(base.id), options: {}, ...parameters };
	return prepare('difyKnowledge', operation, access, filled, setup);
}

async function knowledge(
	of: Base,
	operation: string,
	parameters: Parameters,
): Promise<INodeExecutionData[]> {
	return await execute('difyKnowledge', prepareKnowledge(of, operation, parameters));
}

const documentsOf = ({ base }: Base) =>
	[...base.documents.values()].map(({ name, enabled }) => `${name} ${enabled ? 'on' : 'off'}`);

describe('an empty or partial source list removes no document', () => {
	const SOURCES = ['a.md', 'b.md', 'c.md', 'd.md', 'e.md'];
	const OLD = SOURCES.map((name) => `${name} on`);

	const itemsOf = (sources: readonly string[]) => ({
		items: sources.map((source) => ({ json: { source } })),
		perItem: sources.map((source) => ({ source, name: source, text: `text of ${source}` })),
	});

	function sync(of: Base, options: Parameters, setup: Partial<ExecuteSetup>): ExecuteFake {
		const parameters = { contentType: 'text', source: '', text: '', dryRun: false };
		return prepareKnowledge(of, 'document sync', { ...parameters, options }, setup);
	}

	async function synced(): Promise<Base> {
		const of = await startBase();
		await execute('difyKnowledge', sync(of, {}, itemsOf(SOURCES)));
		expect(documentsOf(of)).toEqual(OLD);
		return of;
	}

	test.each(['delete', 'disable'])('no item: %s', async (onMissingSource) => {
		const of = await synced();
		await failureOf(execute('difyKnowledge', sync(of, { onMissingSource }, { items: [] })));
		expect(documentsOf(of)).toEqual(OLD);
	});

	test.each(['delete', 'disable'])(
		'the one empty item of Always Output Data: %s',
		async (onMissingSource) => {
			const of = await synced();
			const options = { onMissingSource, maxRemovedPercent: 100 };
			await failureOf(execute('difyKnowledge', sync(of, options, { items: [{ json: {} }] })));
			expect(documentsOf(of)).toEqual(OLD);
		},
	);

	test.each([
		['delete', false],
		['delete', true],
		['disable', true],
	])(
		'an item that cannot be read: %s, continue on fail: %s',
		async (onMissingSource, continueOnFail) => {
			const of = await synced();
			const options = { onMissingSource, maxRemovedPercent: 100 };
			const { items, perItem } = itemsOf(['a.md', 'b.md', 'c.md', 'd.md']);
			perItem[3]!.source = '';
			const written = { source: '={{ $json.path }}' };
			const fake = sync(of, options, { items, perItem, written, continueOnFail });
			await failureOf(execute('difyKnowledge', fake));
			expect(documentsOf(of)).toEqual(OLD);
		},
	);

	test.each(['delete', 'disable'])(
		'a list that lost more than its share: %s',
		async (onMissingSource) => {
			const of = await synced();
			const fake = sync(of, { onMissingSource }, itemsOf(['a.md', 'b.md']));
			expect(await failureOf(execute('difyKnowledge', fake))).toBeDefined();
			expect(documentsOf(of)).toEqual(OLD);
		},
	);

	test('documents that the sync did not create stay, even if a source is missing', async () => {
		const of = await startBase();
		addDocument(of.sim.store, of.base, { name: 'by hand.md' });
		await execute('difyKnowledge', sync(of, {}, itemsOf(SOURCES)));
		const options = { onMissingSource: 'delete', maxRemovedPercent: 50 };
		await execute('difyKnowledge', sync(of, options, itemsOf(SOURCES.slice(1))));
		expect(documentsOf(of)).toEqual(['by hand.md on', ...OLD.slice(1)]);
	});
});

describe('an empty filter matches no documents instead of all', () => {
	/** Documents of two customers. */
	async function customers(): Promise<Base> {
		const of = await startBase({ fields: [{ id: 'f1', name: 'customer', type: 'string' }] });
		for (const customer of ['anna', 'bert'])
			addDocument(of.sim.store, of.base, {
				name: `${customer}.txt`,
				text: `llama of ${customer}`,
				values: new Map([['customer', { id: 'f1', value: customer }]]),
			});
		return of;
	}

	const filtered = (value: unknown, operator: string) => ({
		query: 'llama',
		topK: 10,
		simplify: true,
		options: { filterLogic: 'and' },
		metadataFilters: { condition: [{ field: 'customer', operator, value }] },
	});

	/** Texts that a node returns; none if it fails. */
	const textsOf = async (work: Promise<unknown>) =>
		await work.then(
			(found) => JSON.stringify(found).match(/llama of \w+/g) ?? [],
			() => [],
		);

	const EMPTY: ReadonlyArray<readonly [unknown, string]> = [
		['', 'is'],
		[undefined, 'is'],
		[null, 'is'],
		['', 'in'],
		[[], 'in'],
		['', 'contains'],
		['', 'start with'],
	];

	test.each(EMPTY)('retrieve: %j %s', async (value, operator) => {
		const of = await customers();
		const found = knowledge(of, 'knowledgeBase retrieve', filtered(value, operator));
		expect(await textsOf(found)).toEqual([]);
	});

	test.each(EMPTY)('Retriever: %j %s', async (value, operator) => {
		const { sim, base } = await customers();
		const access = { baseUrl: sim.url, apiKey: knowledgeKey() };
		const parameters = { difyDatasetIds: [base.id], ...filtered(value, operator) };
		const { retriever } = await supplyRetriever(access, parameters);
		expect(await textsOf(retriever.invoke('llama'))).toEqual([]);
	});

	test('a filter with a value matches only the documents of this customer', async () => {
		const of = await customers();
		const found = knowledge(of, 'knowledgeBase retrieve', filtered('anna', 'is'));
		expect(await textsOf(found)).toEqual(['llama of anna']);
		const access = { baseUrl: of.sim.url, apiKey: knowledgeKey() };
		const parameters = { difyDatasetIds: [of.base.id], ...filtered('bert', 'is') };
		const { retriever } = await supplyRetriever(access, parameters);
		expect(await textsOf(retriever.invoke('llama'))).toEqual(['llama of bert']);
	});
});

describe('questions and answers of a chunk, and other metadata, survive an update', () => {
	async function withChunk(): Promise<{ of: Base; document: SimDocument; place: Parameters }> {
		const of = await startBase({
			form: 'qa_model',
			fields: [
				{ id: 'f1', name: 'city', type: 'string' },
				{ id: 'f2', name: 'year', type: 'number' },
			],
		});
		const document = addDocument(of.sim.store, of.base, {
			text: 'What is a llama?',
			values: new Map([
				['city', { id: 'f1', value: 'Quito' }],
				['year', { id: 'f2', value: 2024 }],
			]),
		});
		const [chunk] = document.segments;
		Object.assign(chunk!, { answer: 'An animal.', keywords: ['llama'] });
		return { of, document, place: { documentId: byId(document.id), chunkId: chunk!.id } };
	}

	test.each([
		[{ content: 'What are llamas?' }, 'What are llamas?', 'An animal.', ['llama']],
		[{ answer: 'Camels.' }, 'What is a llama?', 'Camels.', ['llama']],
		[{ keywords: 'wool' }, 'What is a llama?', 'An animal.', ['wool']],
		[{ enabled: true }, 'What is a llama?', 'An animal.', ['llama']],
	])('chunk: %j', async (options, content, answer, keywords) => {
		const { of, document, place } = await withChunk();
		await knowledge(of, 'chunk update', { ...place, options });
		expect(document.segments).toMatchObject([{ content, answer, keywords }]);
	});

	test('metadata: setting one field keeps the other', async () => {
		const { of, document, place } = await withChunk();
		const values = { value: [{ field: 'city', value: 'Lima', type: 'auto' }] };
		await knowledge(of, 'metadata set', { ...place, values });
		expect([...document.values].map(([name, { value }]) => [name, value])).toEqual([
			['city', 'Lima'],
			['year', 2024],
		]);
	});

	test('metadata: new content under the same name keeps it', async () => {
		const { of, document } = await withChunk();
		of.base.form = 'text_model';
		document.form = 'text_model';
		const text = { name: document.name, text: 'New text.', options: { wait: 0 } };
		await knowledge(of, 'document upsertText', text);
		expect(of.base.documents.size).toBe(1);
		expect([...document.values.keys()]).toEqual(['city', 'year']);
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
		await execute('difyWorkflow', prepareRun(STARTS[2]!, sim, { inputsJson }));
		expect(sim.runs[0]!.inputs).toMatchObject({ city: EXPRESSION });
	});
});

describe("files are fetched only from the credential's Dify or from Fetch Files From", () => {
	/** A host beside Dify, which notes who asks. */
	async function otherHost(): Promise<{ origin: string; authHeaders: Array<string | undefined> }> {
		const authHeaders: Array<string | undefined> = [];
		const server = http.createServer((request, response) => {
			authHeaders.push(request.headers.authorization);
			response.setHeader('content-type', 'text/plain').end('other');
		});
		const origin = `http://127.0.0.1:${await listen(server)}`;
		closing.push(async () => {
			server.closeAllConnections();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		});
		return { origin, authHeaders: authHeaders };
	}

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
		const fake = prepareRun(STARTS[2]!, sim, { options: { include: ['files'], ...options } });
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
		const other = await otherHost();
		expect(await runWith(() => `${other.origin}/report.txt`, {})).toBeUndefined();
		expect(other.authHeaders).toEqual([]);
	});

	test('from another host that the node names, without the key', async () => {
		const other = await otherHost();
		const options = { fetchFilesFrom: other.origin };
		expect(await runWith(() => `${other.origin}/report.txt`, options)).toBe('other');
		expect(other.authHeaders).toEqual([undefined]);
	});

	test('the file of a document from another host that the node names, without the key', async () => {
		const other = await otherHost();
		const sim = await start({ filesUrl: other.origin });
		const base = addDataset(sim.store, { name: 'Papers', technique: 'high_quality' });
		const { id } = addDocument(sim.store, base, { name: 'a.md' });
		const parameters = { documentId: id, options: { fetchFilesFrom: other.origin } };
		const [item] = await knowledge({ sim, base }, 'document download', parameters);
		const { data = '' } = Object.values(item!.binary ?? {})[0] ?? {};
		expect(buffer.Buffer.from(data, 'base64').toString('utf8')).toBe('other');
		expect(other.authHeaders).toEqual([undefined]);
	});
});
