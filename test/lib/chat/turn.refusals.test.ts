/** Turns whose first request fails in many ways: what is sent again, and what the error says. */
import path from 'node:path';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { SamplingSettings } from '../../../lib/chat/settings';
import { delta, streamed, text, usage } from '../../guarantees/support/responses';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { TurnPlayer } from './describe-turn';
import type { ScriptedTurn } from './describe-turn';
import { toInput, toTool } from '../../support/texts/messages';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

const SENTENCE = 'Cannot do that now';

const says = (status: number, message = SENTENCE, more: object = {}): Answer =>
	json({ error: { message, ...more } }, status);
const page =
	(status: number): Answer =>
	(_request, response) => {
		response.writeHead(status, { 'content-type': 'text/html', server: 'nginx' });
		response.end('<html><head><title>Bad gateway</title></head></html>');
	};
const bare =
	(status: number, headers: Record<string, string> = {}): Answer =>
	(_request, response) => {
		response.writeHead(status, headers);
		response.end();
	};
const closed: Answer = (_request, response) => void response.destroy();
const cut: Answer = (_request, response) => {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	response.write('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n', () => response.destroy());
};

const GOOD = text('Hi');

/** A refusal of the first request only. */
function once(refusal: Answer): Answer {
	let isFirst = true;
	return (request, response) => {
		const answer = isFirst ? refusal : GOOD;
		isFirst = false;
		return answer(request, response);
	};
}

const STATUSES = [
	400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 424, 429, 500, 501, 502, 503, 504, 524,
];

/** Failures of which a status is not all. */
const FAILURES: ReadonlyArray<readonly [string, Answer]> = [
	[
		'400 of the context',
		says(400, 'request (9000 tokens) exceeds the available context size (8192 tokens)', {
			type: 'exceed_context_size_error',
			n_prompt_tokens: 9000,
			n_ctx: 8192,
		}),
	],
	[
		'400 of the context, of OpenAI',
		says(
			400,
			"This model's maximum context length is 8192 tokens. However, your request has 9000 input tokens.",
			{ code: 'context_length_exceeded' },
		),
	],
	[
		'400 with a named option',
		says(400, "'temperature' must be at most 2", { param: 'temperature' }),
	],
	[
		'422 of FastAPI',
		json({ detail: [{ loc: ['body', 'temperature'], msg: 'Input should be less than 2' }] }, 422),
	],
	['404 with the model', says(404, 'The model `sim-model` does not exist')],
	['404 of a router', says(404, 'model not found', { code: 'model_not_found' })],
	['500 of the output', says(500, 'Failed to parse input at pos 0: <tool_call>')],
	['500 of memory', says(500, 'CUDA error: out of memory')],
	['503 while loading', says(503, 'Loading model')],
	['429 with a pause', bare(429, { 'retry-after': '3' })],
	['429 of a quota', says(429, 'You exceeded your quota', { code: 'insufficient_quota' })],
	['503 with a long pause', bare(503, { 'retry-after': '600' })],
	['307 to another host', bare(307, { location: 'http://elsewhere.invalid/v1' })],
	['400 of a web server', page(400)],
	['502 of a web server', page(502)],
	['a closed connection', closed],
	['a response that is cut', cut],
	[
		'500 as text',
		(_request, response) => void response.writeHead(500).end('Internal Server Error'),
	],
];

const ALL: ReadonlyArray<readonly [string, Answer]> = [
	...STATUSES.map((status) => [`${String(status)}`, says(status)] as const),
	...STATUSES.map((status) => [`${String(status)} alone`, bare(status)] as const),
	...FAILURES,
];

/** Refusals of a part of the request that can be changed. */
const CHANGES: ReadonlyArray<readonly [string, Answer, SamplingSettings, Partial<ChatRequest>?]> = [
	['an option', says(400, 'Unsupported parameter: top_k'), { topK: 3 }],
	['a quoted option', says(400, "'top_k' is not supported"), { topK: 3 }],
	['two options', says(400, 'Unsupported parameters: top_k, min_p'), { topK: 3, minP: 0.1 }],
	['an option with 422', says(422, 'Extra inputs are not permitted: top_k'), { topK: 3 }],
	['an option with 500', says(500, 'Unsupported parameter: top_k'), { topK: 3 }],
	['an option with a value as by default', says(400, 'Unsupported parameter: stream_options'), {}],
	[
		'maximum tokens',
		says(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
		{ maxTokens: 9 },
	],
	['a field of Extra Body', says(400, 'Unsupported parameter: top_k'), { extraBody: { top_k: 3 } }],
	['a wrong value', says(400, 'top_k must be positive'), { topK: 3 }],
	[
		'thinking',
		says(400, 'Unsupported parameter: chat_template_kwargs'),
		{ thinking: { mode: 'on' } },
	],
	[
		'an effort',
		says(400, "'reasoning_effort' is unknown"),
		{ thinking: { mode: 'effort', effort: 'low' } },
	],
	[
		'a schema',
		says(400, 'response_format is not supported'),
		{ responseFormat: { type: 'jsonSchema', schema: { type: 'object' } } },
	],
	[
		'a schema of the prompt',
		says(400, 'response_format is not supported'),
		{ responseFormat: { type: 'jsonSchema', schema: { type: 'object' }, isInPrompt: true } },
	],
	[
		'an object',
		says(400, 'response_format must be json_schema'),
		{ responseFormat: { type: 'jsonObject' } },
	],
	[
		'a type in a schema',
		says(400, "'type' must be a string"),
		{
			responseFormat: {
				type: 'jsonSchema',
				schema: {
					type: 'object',
					properties: { a: { type: ['string', 'null'], description: 'A' } },
					required: ['a'],
				},
			},
		},
	],
	[
		'a grammar',
		says(400, 'failed to parse grammar'),
		{ responseFormat: { type: 'grammar', grammar: 'x' } },
	],
	[
		'tools with a stream',
		says(400, 'Cannot stream a response with tools'),
		{},
		{ tools: [toTool({ name: 'a', schema: {} })] },
	],
	[
		'a tool choice',
		says(400, 'Unknown parameter: tool_choice'),
		{},
		{ tools: [toTool({ name: 'a', schema: {} })], toolChoice: 'auto' },
	],
	[
		'a tool choice that is needed',
		says(400, 'Unknown parameter: tool_choice'),
		{},
		{ tools: [toTool({ name: 'a', schema: {} })], toolChoice: 'required' },
	],
	[
		'the roles',
		says(400, 'Conversation roles must alternate'),
		{},
		{
			messages: [
				toInput({ type: 'system', content: 'Be kind' }),
				toInput({ type: 'human', content: 'Hi' }),
				toInput({ type: 'human', content: 'You?' }),
			],
		},
	],
	[
		'the system message',
		says(400, 'System role not supported'),
		{},
		{
			messages: [
				toInput({ type: 'system', content: 'Be kind' }),
				toInput({ type: 'human', content: 'Hi' }),
			],
		},
	],
	[
		'the context of a long history',
		says(400, 'Too long', { code: 'context_length_exceeded' }),
		{},
		{
			messages: [
				toInput({ type: 'system', content: 'Be kind' }),
				toInput({ type: 'human', content: 'Hi' }),
				toInput({ type: 'human', content: 'You?' }),
			],
		},
	],
	[
		'thinking in the history',
		says(400, 'reasoning_content is not permitted'),
		{},
		{
			messages: [
				toInput({ type: 'human', content: 'Hi' }),
				toInput({
					type: 'ai',
					content: '',
					reasoning: 'Hm',
					toolCalls: [{ id: '1', name: 'a', args: {} }],
				}),
				toInput({ type: 'tool', toolCallId: '1', content: 'ok' }),
			],
		},
	],
	[
		'the content beside a call',
		says(400, 'Assistant message must have either content or tool_calls, but not both'),
		{},
		{
			messages: [
				toInput({ type: 'human', content: 'Hi' }),
				toInput({ type: 'ai', content: 'I call', toolCalls: [{ id: '1', name: 'a', args: {} }] }),
				toInput({ type: 'tool', toolCallId: '1', content: 'ok' }),
			],
		},
	],
	[
		'two calls in a message',
		says(400, 'only supports single tool-calls at once'),
		{},
		{
			messages: [
				toInput({ type: 'human', content: 'Hi' }),
				toInput({
					type: 'ai',
					content: 'I call',
					toolCalls: [
						{ id: '1', name: 'a', args: {} },
						{ id: '2', name: 'b', args: {} },
					],
				}),
				toInput({ type: 'tool', toolCallId: '1', content: 'one' }),
				toInput({ type: 'tool', toolCallId: '2', content: 'two' }),
			],
		},
	],
];

const named = (
	place: string,
	more: Omit<ScriptedTurn, 'name' | 'place' | 'answers'>,
): ScriptedTurn[] =>
	ALL.map(([name, answer]) => ({ name, place, answers: [answer, GOOD], ...more }));

const ODD = streamed(delta({ content: '<tool_call>' }), delta({}, 'stop'), usage());

const TURNS: readonly ScriptedTurn[] = [
	...named('no retries', { settings: { sampling: { temperature: 0.5 } } }),
	...named('retries', { settings: { retries: 2, sampling: { temperature: 0.5 } } }),
	...named('retries, after an answer', { settings: { retries: 2 }, earlier: [GOOD] }).filter(
		({ name }) => /^(?:400|404|424|502 of|400 of a web)/.test(name),
	),
	...ALL.map(([name, answer]) => ({
		name,
		place: 'always',
		answers: [answer],
		settings: { retries: 2, sampling: { temperature: 0.5, seed: 3 } },
	})).filter(({ name }) => /429|500|^503$|closed|cut/.test(name)),
	...named('Ollama', {
		serverType: 'ollama',
		settings: { sampling: { topK: 3 } },
	}).filter(({ name }) => /^(?:400|404|500|503|429)$|500 of/.test(name)),
	...(['vllm', 'lmStudio', 'litellm', 'gpustack', 'other'] as const).flatMap((serverType) =>
		named(serverType, { serverType }).filter(({ name }) =>
			/^(?:401|404|500|503|413)$|named|with the model|of memory/.test(name),
		),
	),
	...CHANGES.flatMap(([name, refusal, sampling, chatRequest]) => [
		{ name, place: 'change', answers: [refusal, GOOD], settings: { sampling }, chatRequest },
		{ name, place: 'change in vain', answers: [refusal], settings: { sampling }, chatRequest },
	]),
	{
		name: 'two refusals',
		place: 'steps',
		answers: [
			says(400, 'Unsupported parameter: top_k'),
			says(400, 'Unsupported parameter: min_p'),
			GOOD,
		],
		settings: { sampling: { topK: 3, minP: 0.1 } },
	},
	{
		name: 'a refusal, then a failure',
		place: 'steps',
		answers: [says(400, 'Unsupported parameter: top_k'), says(500), GOOD],
		settings: { retries: 2, sampling: { topK: 3 } },
	},
	{
		name: 'a failure, then another one',
		place: 'steps',
		answers: [says(500), says(400)],
		settings: { retries: 2 },
	},
	{
		name: 'a failure, then a refused connection',
		place: 'steps',
		answers: [says(500), closed],
		settings: { retries: 2 },
	},
	{ name: 'a failure after markup', place: 'steps', answers: [ODD], settings: { retries: 2 } },
];

const ROLES: Partial<ChatRequest> = {
	messages: [
		toInput({ type: 'system', content: 'Be kind' }),
		toInput({ type: 'human', content: 'Hi' }),
		toInput({ type: 'human', content: 'You?' }),
	],
};

/** What one turn taught, and what a broken server gets after it. */
const LATER: readonly ScriptedTurn[] = [
	{ name: '500 for its roles', answers: [says(500)], settings: { retries: 2 }, chatRequest: ROLES },
	{
		name: '500 for its roles, then a good one',
		answers: [says(500), says(500), GOOD],
		settings: { retries: 2 },
		chatRequest: ROLES,
	},
	{
		name: '500 after a turn with 500',
		earlier: [says(500)],
		answers: [says(500)],
		settings: { retries: 2 },
		chatRequest: ROLES,
	},
	{
		name: 'another 500 after a turn with 500',
		earlier: [says(500)],
		answers: [says(500, 'Something else'), GOOD],
		settings: { retries: 2 },
	},
	{
		name: '500 after a turn with 500 and a good one',
		earlier: [says(500), GOOD],
		answers: [says(500), GOOD],
		settings: { retries: 2 },
	},
	{
		name: '500 for an option after a turn with 500',
		earlier: [says(500)],
		answers: [says(500), says(400, 'Unsupported parameter: top_k'), GOOD],
		settings: { retries: 2, sampling: { topK: 3 } },
	},
	{
		name: 'an option that an earlier turn omitted',
		earlier: [once(says(400, 'Unsupported parameter: top_k'))],
		answers: [GOOD],
		settings: { sampling: { topK: 3 } },
	},
	{
		name: 'a busy server after a turn that waited in vain',
		earlier: [bare(429)],
		answers: [bare(429)],
		settings: { retries: 2 },
	},
	{
		name: 'a busy server after a turn that waited in vain, and a good one',
		earlier: [bare(429), GOOD],
		answers: [bare(429), bare(429), GOOD],
		settings: { retries: 2 },
	},
].map((turn) => ({ place: 'later', ...turn }));

const entry = (id: string, more: object = {}) => ({ id, owned_by: 'llamacpp', ...more });

const LISTS: Readonly<Record<string, Answer>> = {
	'one model': json({ data: [entry('a')] }),
	'a failed model': json({
		data: [entry('b', { status: { failed: true } }), entry('c', { status: { value: 'loaded' } })],
	}),
	'failed models only': json({ data: [entry('b', { status: { failed: true } })] }),
	'no list': bare(404),
	'a page': page(200),
};

/** A model that the server does not list. */
const MISSING: readonly ScriptedTurn[] = Object.entries(LISTS).flatMap(([place, listed]) =>
	[says(404), bare(404), says(400), says(400, 'No model missing here'), says(500)].flatMap(
		(answer, at) =>
			(['llamaServer', 'ollama', 'other'] as const).map((serverType) => ({
				name: `a missing model, ${['404', '404 alone', '400', '400 with its name', '500'][at]!}, ${serverType}`,
				place,
				listed,
				answers: [answer],
				serverType,
				settings: { model: 'missing' },
			})),
	),
);

const start = useServers();

test('each failure is answered by its requests, and has its error', async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
	const player = new TurnPlayer(start);
	await player.open();
	const rows = await player.describeAll([...TURNS, ...LATER, ...MISSING]);
	expectApproved(
		path.join(__dirname, 'turn.refusals.approved.txt'),
		rows,
		'A failure is repeated and changed as its facts say, and told with what was sent',
	);
});
