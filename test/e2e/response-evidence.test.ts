/**
 * What a response is, in the real n8n: its evidence decides, and not how its server frames it. Each response comes to an agent
 * and to an operation, shown in a chat while it arrives and as a whole.
 */
import type * as http from 'node:http';
import {
	CHAT,
	delta,
	LLAMA_SERVER,
	sendEvents,
	sse,
	text,
	usage,
} from '../guarantees/support/responses';
import { json, sendJson, startScripted } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import { llamaCredential, stopEverything } from './support/playground';
import type { Execution } from './support/playground';
import { after, closeAll, lastExecution, shareN8n, theN8n } from './support/run-examples';
import { agent, chatTrigger, localModel, MANUAL, workflowOf } from './support/workflows';

beforeAll(async () => {
	await shareN8n();
});
afterEach(closeAll);
afterAll(stopEverything);

type Parts = Parameters<typeof workflowOf>[1];
type Json = Record<string, unknown>;

interface Named {
	id: string;
	name: string;
}

/** Settings of a request, for each of the nodes. */
interface Settings {
	options?: Json;
	jsonSchema?: string;
	system?: string;
}

/** Who asks, and who reads. */
interface Door {
	/** The node whose panel shows hints. */
	node: string;
	/** Whether a visitor of a chat reads the text while it arrives. */
	isShown: boolean;
	getParts(credential: Named, settings: Settings): Parts;
}

const MODEL = 'Local Chat Model';
const QUESTION = 'Count to three';
const SELECTED = { model: { __rl: true, mode: 'id', value: 'sim-model' } };

const getAgent = (
	credential: Named,
	{ options = {}, jsonSchema, system }: Settings,
	question?: string,
): Parts => ({
	Agent: agent(question, {
		options: { maxIterations: 5, ...(system !== undefined && { systemMessage: system }) },
	}),
	[MODEL]: localModel(credential, {
		...SELECTED,
		options,
		...(jsonSchema !== undefined && { responseFormat: 'jsonSchema', jsonSchema }),
	}),
});

const getChat = (
	credential: Named,
	{ options = {}, jsonSchema, system }: Settings,
	prompt: string,
): Parts => ({
	Chat: {
		type: 'CUSTOM.localLlama',
		parameters: {
			resource: 'text',
			operation: 'chat',
			...SELECTED,
			prompt,
			...(system !== undefined && { system }),
			options: {
				...options,
				...(jsonSchema !== undefined && { responseFormat: 'jsonSchema', jsonSchema }),
			},
		},
		credentials: { localLlamaApi: credential },
	},
});

const DOORS: Readonly<Record<string, Door>> = {
	'an agent in a chat': {
		node: MODEL,
		isShown: true,
		getParts: (credential, settings) => ({
			Trigger: chatTrigger(`evidence-${credential.id}`),
			...getAgent(credential, settings),
		}),
	},
	'an agent': {
		node: MODEL,
		isShown: false,
		getParts: (credential, settings) => ({
			Trigger: MANUAL,
			...getAgent(credential, settings, QUESTION),
		}),
	},
	'an operation in a chat': {
		node: 'Chat',
		isShown: true,
		getParts: (credential, settings) => ({
			Trigger: chatTrigger(`evidence-${credential.id}`, 'Chat'),
			...getChat(credential, settings, '={{ $json.chatInput }}'),
		}),
	},
	'an operation': {
		node: 'Chat',
		isShown: false,
		getParts: (credential, settings) => ({
			Trigger: { ...MANUAL, to: ['Chat'] },
			...getChat(credential, settings, QUESTION),
		}),
	},
};

/** What came of a run. */
interface Result {
	/** What the visitor read, or the result. */
	text: string;
	/** The title of the error that the panel shows. */
	error?: string;
	hints: string[];
	requests: Json[];
}

async function ask(door: Door, { answers, settings = {} }: Input): Promise<Result> {
	const server = await startScripted({ ...LLAMA_SERVER, [`POST ${CHAT}`]: [answers].flat() });
	after(async () => await server.close());
	const n8n = theN8n();
	const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	const workflow = await n8n.createWorkflow(
		workflowOf('Response as evidence', door.getParts(credential, settings)),
	);
	if (!door.isShown) {
		const execution = await n8n.waitForExecution(await n8n.runWorkflow(workflow, 'Trigger'));
		return { ...read(execution, door), requests: server.sent(CHAT) };
	}
	const { id } = workflow;
	await n8n.activate(id);
	after(async () => await n8n.request('POST', `/rest/workflows/${id}/deactivate`, {}));
	let shown = '';
	for await (const line of n8n.chat(`evidence-${credential.id}`, QUESTION))
		if (line.type === 'item') shown += line.content ?? '';
	return { ...read(await lastExecution(id), door), text: shown, requests: server.sent(CHAT) };
}

function read({ data }: Execution, { node }: Door): Omit<Result, 'requests'> {
	const { runData, error } = data.resultData;
	const runs = runData[node] ?? [];
	const failed = runs.find((run) => run.error)?.error ?? error;
	const { output } = (runData.Agent ?? runData.Chat)?.at(-1)?.data?.main?.[0]?.[0]?.json ?? {};
	return {
		text: typeof output === 'string' ? output : output === undefined ? '' : JSON.stringify(output),
		error: failed && String(failed.message),
		hints: runs.flatMap(({ hints = [] }) =>
			(hints as Array<{ message: string; type: string }>)
				.filter(({ type }) => type !== 'info')
				.map(({ message }) => message),
		),
	};
}

/** What a server sends, and what comes of it at each door. */
interface Input {
	what: string;
	answers: Answer | Answer[];
	settings?: Settings;
	/** The text that a visitor has read, and the result. */
	text?: string;
	/** Default: none. */
	error?: RegExp;
	/** In their order. Default: none. */
	hints?: readonly RegExp[];
	/** How many requests were sent. */
	requests: number;
	/** Where the visitor has read a text that failed: it is not asked for again. */
	ifShown?: Pick<Input, 'text' | 'error' | 'hints' | 'requests'>;
	/** Whether the first two requests are the same. */
	isSame?: boolean;
}

const body =
	(content: string): Answer =>
	(_request, response) =>
		sendEvents(response, content);

/** An event whose `data: ` a gateway has removed. */
const bare = (event: Json): string => `${JSON.stringify(event)}\n\n`;

/** Closes the connection in the middle of a response. */
const breakOff =
	(...events: Json[]): Answer =>
	(_request, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write(sse(...events));
		setImmediate(() => response.destroy());
	};

/** Refuses requests, in any form that a server has for it. */
const refuse =
	(isRefused: (body: Json) => boolean, send: (response: http.ServerResponse) => void): Answer =>
	(request, response) =>
		isRefused(request.body) ? send(response) : text('It is done.')(request, response);

const isWithUsage = ({ stream_options: options }: Json) => options !== undefined;
const isWithSystem = ({ messages }: Json) =>
	(messages as Json[]).some(({ role }) => role === 'system');
const NO_USAGE = {
	error: { message: 'This is not supported.', param: 'stream_options', code: 400 },
};
/** LM Studio, about a template. */
const NO_SYSTEM = {
	error: 'Error rendering prompt with jinja template: "System role not supported".',
};

const TEXT = 'One two three.';
const WORDS = [
	delta({ content: 'One ' }),
	delta({ content: 'two ' }),
	delta({ content: 'three.' }),
];
const STOP = delta({}, 'stop');
const DONE = 'data: [DONE]\n\n';
const BROKEN = 'data: {"id":"c1","choices":[],"usage":,{\n\n';
const SCHEMA = JSON.stringify({
	type: 'object',
	properties: { answer: { type: 'string' } },
	required: ['answer'],
	additionalProperties: false,
});
const JSON_TEXT = '{"answer":"42"}';
const GOOD = text(TEXT);
const TWICE = /^The request was sent twice: /;
const COLD = { options: { temperature: 0 } };
const OVERFLOW = {
	error: {
		message:
			"This model's maximum context length is 8192 tokens. However, you requested 9000 tokens in the messages. Please reduce the length of the messages.",
		type: 'BadRequestError',
		param: 'input_tokens',
		code: 400,
	},
};
/** Ollama, of a model that generates. */
const DIED = {
	error: { message: 'POST predict: Post "http://127.0.0.1:41234/completion": EOF' },
};
const CRASH = 'The model has crashed without additional information. (Exit code: 1)';

const describeDoors = (inputs: readonly Input[]): void => {
	it.each(inputs)('$what', async (input) => {
		const results = await Promise.all(
			Object.entries(DOORS).map(async ([name, door]) => {
				const { ifShown, ...whole } = input;
				const expected = door.isShown && ifShown ? ifShown : whole;
				const result = await ask(door, input);
				const [first, second] = result.requests;
				return {
					name,
					seen: {
						text: result.text,
						error: result.error,
						hints: result.hints,
						requests: result.requests.length,
						...(input.isSame !== undefined && {
							isSame: JSON.stringify(first) === JSON.stringify(second),
						}),
					},
					expected: {
						text: expected.text ?? '',
						error: expected.error && (expect.stringMatching(expected.error) as string),
						hints: (expected.hints ?? []).map((hint) => expect.stringMatching(hint) as string),
						requests: expected.requests,
						...(input.isSame !== undefined && { isSame: input.isSame }),
					},
				};
			}),
		);
		expect(results.map(({ name, seen }) => ({ name, ...seen }))).toEqual(
			results.map(({ name, expected }) => ({ name, ...expected })),
		);
	});
};

describe('an event in any line', () => {
	describeDoors([
		{
			what: 'a gateway removes the `data: ` of the finish line (GPUStack 2.0)',
			answers: body(sse(...WORDS) + bare(STOP) + bare(usage()) + DONE),
			text: TEXT,
			requests: 1,
		},
		{
			what: 'and that of a line with text',
			answers: body(
				sse(WORDS[0]!) + bare(WORDS[1]!) + sse(WORDS[2]!) + bare(STOP) + bare(usage()) + DONE,
			),
			text: TEXT,
			requests: 1,
		},
		{
			what: 'a log in a line of its own is none',
			answers: body(
				sse(...WORDS) + bare({ level: 'info', msg: 'request done' }) + sse(STOP, usage()) + DONE,
			),
			text: TEXT,
			requests: 1,
		},
	]);
});

describe('a complete answer', () => {
	describeDoors([
		{
			what: 'stays complete if an event that cannot be read follows',
			answers: body(sse(...WORDS, STOP) + BROKEN + DONE),
			text: TEXT,
			hints: [/could not be read/],
			requests: 1,
		},
		{
			what: 'stays complete if an error follows',
			answers: body(sse(...WORDS, STOP, { error: { message: 'It broke', code: 500 } })),
			text: TEXT,
			hints: [/reported an error after the complete response.*It broke/],
			requests: 1,
		},
		{
			what: 'stays complete if the connection is lost then',
			answers: breakOff(...WORDS, STOP),
			text: TEXT,
			requests: 1,
		},
		{
			what: 'has the text that follows the reason',
			answers: body(sse(WORDS[0]!, WORDS[1]!, STOP, WORDS[2]!) + DONE),
			text: TEXT,
			requests: 1,
		},
		{
			what: 'is none at the limit, if an event that cannot be read follows',
			answers: body(sse(...WORDS, delta({}, 'length')) + BROKEN + DONE),
			error: /broke|invalid|read/i,
			requests: 2,
			// The paragraph before n8n's line about the error.
			ifShown: { text: `${TEXT}\n\n`, error: /broke|invalid|read/i, requests: 1 },
		},
		{
			what: 'is JSON that fits the schema, if the stream breaks off behind it',
			answers: breakOff(delta({ content: '{"answer":' }), delta({ content: '"42"}' })),
			settings: { jsonSchema: SCHEMA },
			text: JSON_TEXT,
			requests: 1,
		},
		...[
			{ what: 'nothing', output: { content: '' } },
			{ what: 'only thinking', output: { reasoning_content: 'Let me see.' } },
			{ what: 'the beginning of JSON', output: { content: '{"' } },
		].map(({ what, output }) => ({
			what: `is none of ${what}, so it is asked for again`,
			answers: [body(sse(delta(output), STOP) + DONE), GOOD],
			text: TEXT,
			hints: [TWICE],
			requests: 2,
		})),
	]);
});

describe('JSON that is filed as thinking', () => {
	const thinking = { role: 'assistant', content: '', reasoning_content: JSON_TEXT };
	const whole = json({
		object: 'chat.completion',
		model: 'sim-model',
		choices: [{ index: 0, message: thinking, finish_reason: 'stop' }],
	});
	describeDoors([
		{
			what: 'is the answer if it fits the schema, as events',
			answers: body(sse(delta(thinking), STOP) + DONE),
			settings: { jsonSchema: SCHEMA },
			text: JSON_TEXT,
			hints: [/sent the whole answer as thinking/],
			requests: 1,
		},
		{
			what: 'is the answer if it fits the schema, as one document',
			answers: whole,
			settings: { jsonSchema: SCHEMA },
			text: JSON_TEXT,
			hints: [/sent the whole answer as thinking/],
			requests: 1,
		},
		{
			what: 'is thinking without a schema',
			answers: body(sse(delta(thinking), STOP) + DONE),
			error: /thinking/,
			requests: 2,
		},
	]);
});

describe('a refusal', () => {
	const asEvent = (error: Json) => (response: http.ServerResponse) =>
		sendEvents(response, sse(error));
	describeDoors([
		...[
			{
				place: 'with its status',
				send: (response: http.ServerResponse) => sendJson(response, NO_USAGE, 400),
			},
			{ place: 'as the first event', send: asEvent(NO_USAGE) },
			{
				place: 'as the body of a 200',
				send: (response: http.ServerResponse) => sendJson(response, NO_USAGE),
			},
		].map(({ place, send }) => ({
			what: `of a field, ${place}`,
			answers: refuse(isWithUsage, send),
			text: 'It is done.',
			requests: 2,
		})),
		{
			what: 'of the messages by a template, as the first event (LM Studio)',
			answers: refuse(isWithSystem, asEvent(NO_SYSTEM)),
			settings: { system: 'Be short.' },
			text: 'It is done.',
			hints: [/sent in a stricter form: .*alternating roles/],
			requests: 3,
		},
		{
			what: 'is none with a status of failure in it: the same request again',
			hints: [TWICE],
			answers: [
				body(sse({ error: { ...NO_USAGE.error, code: 500 } })),
				refuse(isWithUsage, (response) => sendEvents(response, sse(...WORDS, STOP) + DONE)),
			],
			text: TEXT,
			requests: 2,
			isSame: true,
		},
	]);
});

describe('at temperature 0', () => {
	describeDoors([
		{
			what: 'a process that died is asked again (Ollama)',
			answers: [body(sse(delta({ role: 'assistant', content: '' }), DIED)), GOOD],
			settings: COLD,
			text: TEXT,
			hints: [TWICE],
			requests: 2,
			isSame: true,
		},
		{
			what: 'so is one that died in the middle of a text, unless a visitor has read it',
			answers: [body(sse(WORDS[0]!, WORDS[1]!, DIED)), GOOD],
			settings: COLD,
			text: TEXT,
			hints: [TWICE],
			requests: 2,
			ifShown: { text: 'One two \n\n', error: /EOF/, requests: 1 },
		},
		{
			what: 'a lost connection is asked again',
			hints: [TWICE],
			answers: [breakOff(delta({ role: 'assistant', content: '' })), GOOD],
			settings: COLD,
			text: TEXT,
			requests: 2,
			isSame: true,
		},
		{
			what: 'a stream that ends early is asked again',
			hints: [TWICE],
			answers: [body(sse(delta({ role: 'assistant', content: '' }))), GOOD],
			settings: COLD,
			text: TEXT,
			requests: 2,
			isSame: true,
		},
		{
			what: 'thinking and nothing else is not: it would be the same',
			answers: [body(sse(delta({ reasoning_content: 'Let me see.' }), STOP) + DONE), GOOD],
			settings: COLD,
			error: /thinking/,
			requests: 1,
		},
	]);
});

describe('an error response', () => {
	describeDoors([
		{
			what: 'that the context is too small is one: nothing is sent again (vLLM)',
			answers: [json(OVERFLOW, 400), GOOD],
			error: /context|tokens/i,
			requests: 1,
		},
		{
			what: 'that a model has crashed is asked again, also at first (LM Studio)',
			answers: [json({ error: CRASH }, 400), GOOD],
			text: TEXT,
			hints: [TWICE],
			requests: 2,
			isSame: true,
		},
		{
			what: 'that names nothing that was sent is asked again once',
			answers: json({ error: CRASH }, 400),
			error: /crashed/,
			requests: 2,
			isSame: true,
		},
		{
			what: '529 is waited for',
			answers: [json({ error: { message: 'Overloaded' } }, 529), GOOD],
			text: TEXT,
			hints: [/busy/],
			requests: 2,
			isSame: true,
		},
	]);
});

describe('the end of a response', () => {
	const cut = (promptTokens: number) =>
		body(
			sse(
				...WORDS,
				delta({}, 'length'),
				usage({
					prompt_tokens: promptTokens,
					completion_tokens: 92,
					total_tokens: promptTokens + 92,
				}),
			) + DONE,
		);
	describeDoors([
		{
			what: 'at a full context does not ask for more tokens',
			answers: cut(8100),
			text: TEXT,
			hints: [
				/cut off at the token limit\. The context was full/,
				/^The prompt used 8,100 of 8,192 tokens/,
			],
			requests: 1,
		},
		{
			what: 'at the limit that was sent names it',
			answers: cut(11),
			settings: { options: { maxTokens: 92 } },
			text: TEXT,
			hints: [/cut off at the token limit\. Raise Maximum Tokens \(now 92\)/],
			requests: 1,
		},
	]);
});
