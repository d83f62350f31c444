/** Dify Chat Model below the chains and agents of the real n8n, against the simulator of Dify. */
import type { DifyAppMode } from '../../lib/dify/types';
import { appKey, startDifySim, type AppSpec, type DifySim } from '../servers/dify';
import { reply, startLlamaServerSim } from '../servers/llama-server';
import {
	chatLines,
	importWorkflow,
	llamaCredential,
	piecesOf,
	startN8n,
	stopEverything,
	textOf,
	type ChatLine,
	type Execution,
	type N8nServer,
	type Workflow,
} from '../e2e/support/playground';
import { writeTranscript } from './support/parts';
import {
	agent,
	calculator,
	chatTrigger,
	localModel,
	MANUAL,
	workflowOf,
} from '../e2e/support/workflows';

const LANGCHAIN = '@n8n/n8n-nodes-langchain.';
const MODEL = 'Dify Chat Model';
const REFUSAL = 'A Dify app cannot be given tools';

type Parts = Parameters<typeof workflowOf>[1];
type Part = Parts[string];

let n8n: N8nServer;
const closing: Array<() => Promise<unknown>> = [];

beforeAll(async () => {
	n8n = await startN8n();
});
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});
afterAll(stopEverything);

async function startApp(mode: DifyAppMode, app: Partial<AppSpec> = {}): Promise<DifySim> {
	const sim = await startDifySim({
		version: '1.14',
		apps: [{ mode, key: appKey(mode), reply: ({ query }) => `You said: ${query}`, ...app }],
	});
	closing.push(async () => await sim.close());
	return sim;
}

async function difyModel(
	sim: DifySim,
	mode: DifyAppMode,
	parameters: Record<string, unknown> = {},
	serves = 'Root',
): Promise<Part> {
	const data = { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' };
	const { id, name } = await n8n.createCredential({ name: 'Dify', type: 'difyApi', data });
	return {
		type: 'CUSTOM.difyChatModel',
		parameters: {
			user: '={{ $json.sessionId ?? "anna" }}',
			memory: 'n8n',
			options: {},
			...parameters,
		},
		credentials: { difyApi: { id, name } },
		serves: [['ai_languageModel', serves]],
	};
}

/** Basic LLM Chain; without `text` it takes the chat's input. */
const chain = (text?: string, parameters: Record<string, unknown> = {}): Part => ({
	type: `${LANGCHAIN}chainLlm`,
	typeVersion: 1.7,
	parameters: { ...(text === undefined ? {} : { promptType: 'define', text }), ...parameters },
});

const windowMemory = (): Part => ({
	type: `${LANGCHAIN}memoryBufferWindow`,
	typeVersion: 1.3,
	parameters: {},
	serves: [['ai_memory', 'Root']],
});

const chatting = async (webhookId: string, parts: Parts): Promise<Workflow & { id: string }> =>
	await importWorkflow(
		n8n,
		workflowOf(webhookId, { Chat: chatTrigger(webhookId, 'Root'), ...parts }),
	);

async function asked(webhookId: string, text: string, sessionId = 'session'): Promise<ChatLine[]> {
	const lines = await chatLines(n8n, webhookId, text, { sessionId });
	expect(lines.filter(({ type }) => type === 'error')).toEqual([]);
	return lines;
}

/** The error in the failed execution, for the owner of a published chat. Visitors only read that it failed. */
async function refusedIn(workflowId: string, webhookId: string, text: string): Promise<string> {
	const lines = await chatLines(n8n, webhookId, text, { sessionId: 'session' });
	const told = lines.filter(({ type }) => type === 'error').map(({ content }) => content);
	expect(told).toEqual([expect.stringContaining('Whoever runs this chat can see why in n8n')]);
	const [newest] = await n8n.listExecutions({ workflowId });
	const { data } = await n8n.waitForExecution(newest!.id);
	return JSON.stringify(data.resultData);
}

async function run(parts: Parts): Promise<Execution> {
	const created = await n8n.createWorkflow(
		workflowOf(MODEL, { Start: { ...MANUAL, to: ['Root'] }, ...parts }),
	);
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

function outputOf({ data }: Execution): Record<string, unknown> {
	const { error, runData } = data.resultData;
	expect(error?.message).toBeUndefined();
	return runData.Root!.at(-1)!.data!.main![0]![0]!.json;
}

/** The model's output in n8n's log. */
const logOf = ({ data }: Execution) =>
	(data.resultData.runData[MODEL] ?? []).map(
		(one) => one.data!.ai_languageModel![0]![0]!.json,
	) as Array<{
		response: {
			generations: Array<Array<{ text: string; generationInfo: Record<string, unknown> }>>;
		};
	}>;

describe('Basic LLM Chain', () => {
	it.each<[DifyAppMode]>([['chat'], ['agent-chat'], ['agent'], ['advanced-chat']])(
		'answers with a %s app, in a conversation of its own',
		async (mode) => {
			const sim = await startApp(mode);
			const execution = await run({
				Root: chain('Who are you?'),
				[MODEL]: await difyModel(sim, mode),
			});
			expect(outputOf(execution)).toEqual({ text: 'You said: Who are you?' });
			expect(sim.runs).toMatchObject([
				{ query: 'Who are you?', user: 'anna', responseMode: 'streaming' },
			]);
			const [log] = logOf(execution);
			expect(log!.response.generations[0]![0]).toMatchObject({
				text: 'You said: Who are you?',
				generationInfo: { app: mode },
			});
		},
	);

	it.each<[DifyAppMode, object]>([
		['completion', { promptVariable: 'query' }],
		['workflow', { promptVariable: 'query', outputField: 'answer' }],
	])('answers with a %s app, whose variable takes the prompt', async (mode, options) => {
		const sim = await startApp(mode, {
			form: [
				{ kind: 'paragraph', variable: 'query', required: true },
				{ kind: 'text-input', variable: 'language' },
			],
			reply: ({ inputs }) => {
				const text = `In ${String(inputs.language)}: ${String(inputs.query)}`;
				return {
					steps: [{ text }],
					...(mode === 'workflow' ? { outputs: { answer: text, other: 'x' } } : {}),
				};
			},
		});
		const execution = await run({
			Root: chain('Good morning'),
			[MODEL]: await difyModel(sim, mode, {
				options: { ...options, inputs: '{ "language": "French" }' },
			}),
		});
		expect(outputOf(execution)).toEqual({ text: 'In French: Good morning' });
	});

	it('reads a structured answer, whose format the app is told', async () => {
		const sim = await startApp('chat', {
			reply: () => '```json\n{"output":{"colour":"blue"}}\n```',
		});
		const execution = await run({
			Root: chain('Which colour?', { hasOutputParser: true }),
			[MODEL]: await difyModel(sim, 'chat'),
			Parser: {
				type: `${LANGCHAIN}outputParserStructured`,
				typeVersion: 1.3,
				parameters: {
					schemaType: 'manual',
					inputSchema: '{"type":"object","properties":{"colour":{"type":"string"}}}',
				},
				serves: [['ai_outputParser', 'Root']],
			},
		});
		expect(outputOf(execution)).toEqual({ output: { colour: 'blue' } });
		expect(sim.runs[0]!.query).toContain('"colour"');
	});

	it("Dify's memory: the chat continues the user's conversation", async () => {
		const sim = await startApp('chat');
		const webhookId = 'dify-model-chain';
		const trigger = chatTrigger(webhookId, 'Root');
		await importWorkflow(
			n8n,
			workflowOf(webhookId, {
				// n8n's chains do not stream into the chat.
				Chat: {
					...trigger,
					parameters: { public: true, mode: 'webhook', options: { responseMode: 'lastNode' } },
				},
				Root: chain(),
				[MODEL]: await difyModel(sim, 'chat', { memory: 'dify' }),
			}),
		);
		for (const [chatInput, sessionId] of [
			['one', 'anna'],
			['two', 'anna'],
			['three', 'ben'],
		] as const) {
			const body = { action: 'sendMessage', sessionId, chatInput };
			const response = await n8n.webhook(`${webhookId}/chat`, { body });
			expect(await response.json()).toEqual({ text: `You said: ${chatInput}` });
		}
		const [one, two, three] = sim.runs;
		expect(sim.runs.map(({ query, user }) => [query, user])).toEqual([
			['one', 'anna'],
			['two', 'anna'],
			['three', 'ben'],
		]);
		expect(two!.conversationId).toBe(one!.conversationId);
		expect(three!.conversationId).not.toBe(one!.conversationId);
	});

	it('an error of Dify reaches the chain in words that say what to do', async () => {
		const sim = await startApp('chat');
		sim.app('chat').apiEnabled = false;
		const { data, status } = await run({
			Root: chain('Hi'),
			[MODEL]: await difyModel(sim, 'chat'),
		});
		expect(status).toBe('error');
		expect(JSON.stringify(data.resultData.error)).toMatch(/API.*(disabled|switched off|enable)/i);
	});
});

describe('AI Agent without tools', () => {
	const WORDS = [
		'Once ',
		'upon ',
		'a ',
		'time ',
		'there ',
		'was ',
		'a ',
		'<llama> ',
		'& ',
		'你好 ',
		'😀.',
	];

	it('streams the answer into the chat while Dify generates it', async () => {
		const rest = Promise.withResolvers<void>();
		const [first, ...others] = WORDS;
		const sim = await startApp('chat', {
			reply: () => ({
				steps: [{ text: first! }, { wait: rest.promise }, ...others.map((text) => ({ text }))],
			}),
		});
		const webhookId = 'dify-model-streamed';
		await chatting(webhookId, { Root: agent(), [MODEL]: await difyModel(sim, 'chat') });
		const lines: ChatLine[] = [];
		for await (const line of n8n.chat(webhookId, 'Tell me a story')) {
			lines.push(line);
			// Dify sends nothing more before the chat shows the first word.
			if (textOf(lines) === first) rest.resolve();
		}
		writeTranscript(webhookId, lines);
		expect(textOf(lines)).toBe(WORDS.join(''));
		expect(piecesOf(lines).length).toBeGreaterThan(1);
	});

	it("n8n's memory: the whole history is sent in one message, in a new conversation each time", async () => {
		const sim = await startApp('chat', {
			reply: ({ turn, query }) => `turn ${turn}, ${query.length} letters`,
		});
		const webhookId = 'dify-model-window';
		await chatting(webhookId, {
			Root: agent(undefined, { options: { systemMessage: 'Be brief.' } }),
			[MODEL]: await difyModel(sim, 'chat', { options: { deleteConversations: true } }),
			Memory: windowMemory(),
		});
		const first = textOf(await asked(webhookId, 'one', 'anna'));
		await asked(webhookId, 'two', 'anna');
		await asked(webhookId, 'three', 'ben');
		expect(sim.runs.map(({ query }) => query)).toEqual([
			'Be brief.\n\none',
			`Be brief.\n\nUser: one\nAssistant: ${first}\n\ntwo`,
			'Be brief.\n\nthree',
		]);
		expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(3);
		// The conversations are deleted afterwards.
		expect(sim.app('chat').conversations.size).toBe(0);
	});

	it('two memories at once are refused with a sentence for the owner', async () => {
		const sim = await startApp('chat');
		const webhookId = 'dify-model-two-memories';
		const { id } = await chatting(webhookId, {
			Root: agent(undefined, { options: {} }),
			[MODEL]: await difyModel(sim, 'chat', { memory: 'dify' }),
			Memory: windowMemory(),
		});
		await asked(webhookId, 'one');
		expect(await refusedIn(id, webhookId, 'two')).toContain(
			'Dify is set to remember the conversation',
		);
		expect(sim.runs.map(({ query }) => query)).toEqual(['one']);
	});
});

describe('an AI Agent that needs tools', () => {
	const fails = (execution: Execution) => {
		const { error } = execution.data.resultData;
		expect(execution.status).toBe('error');
		return JSON.stringify(error);
	};

	it('is refused at once, and told what to do', async () => {
		const sim = await startApp('chat');
		const parts = async (root: Part): Promise<Parts> => ({
			Root: root,
			[MODEL]: await difyModel(sim, 'chat'),
		});
		const tool = { ...calculator, serves: [['ai_tool', 'Root']] as Array<[string, string]> };
		const error = fails(await run({ ...(await parts(agent('17 times 23?'))), Calculator: tool }));
		expect(error).toContain(REFUSAL);
		expect(error).toContain('Dify Chat Message');
		expect(sim.runs).toEqual([]);
	});

	it('with an output parser it is refused, too, since n8n treats it as a tool', async () => {
		const sim = await startApp('chat');
		const error = fails(
			await run({
				Root: agent('17 times 23?', { hasOutputParser: true }),
				[MODEL]: await difyModel(sim, 'chat'),
				Parser: {
					type: `${LANGCHAIN}outputParserStructured`,
					typeVersion: 1.3,
					parameters: { jsonSchemaExample: '{ "product": 391 }' },
					serves: [['ai_outputParser', 'Root']],
				},
			}),
		);
		expect(error).toContain(REFUSAL);
		expect(sim.runs).toEqual([]);
	});

	it('in a chat: the execution contains the error', async () => {
		const sim = await startApp('chat');
		const webhookId = 'dify-model-tools';
		const { id } = await chatting(webhookId, {
			Root: agent(),
			[MODEL]: await difyModel(sim, 'chat'),
			Calculator: { ...calculator, serves: [['ai_tool', 'Root']] },
		});
		expect(await refusedIn(id, webhookId, '17 times 23?')).toContain(REFUSAL);
	});

	it('continues with its fallback model', async () => {
		const sim = await startApp('chat');
		const llama = await startLlamaServerSim();
		closing.push(async () => await llama.close());
		llama.script(reply.text('It is 391.'));
		const credential = await n8n.createCredential({ ...llamaCredential(llama), id: undefined });
		const local = localModel(
			credential,
			{ model: { __rl: true, mode: 'id', value: 'sim-model' } },
			'Root',
		);
		const created = workflowOf(MODEL, {
			Start: { ...MANUAL, to: ['Root'] },
			Root: agent('17 times 23?', { needsFallback: true }),
			[MODEL]: await difyModel(sim, 'chat'),
			'Local Chat Model': local,
			Calculator: { ...calculator, serves: [['ai_tool', 'Root']] },
		});
		// An agent's second model is its fallback.
		created.connections['Local Chat Model'] = {
			ai_languageModel: [[{ node: 'Root', type: 'ai_languageModel', index: 1 }]],
		};
		const stored = await n8n.createWorkflow(created);
		const execution = await n8n.waitForExecution(await n8n.runWorkflow(stored, 'Start'));
		expect(outputOf(execution)).toEqual({ output: 'It is 391.' });
		expect(sim.runs).toEqual([]);
	});
});
