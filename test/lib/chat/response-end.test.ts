/** How a response ended, in tokens, and what leaves room for more. */
import { toCutCall } from '../../../lib/chat/response-end';
import { suggestMoreTokens } from '../../../lib/errors/chapters/turns';
import { runTurn } from '../../../lib/chat/turn';
import { asServerErrorOrThrow, ServerError } from '../../../lib/errors/server-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import {
	called,
	CHAT,
	delta,
	LLAMA_SERVER,
	streamed,
	usage,
} from '../../guarantees/support/responses';
import { useServers } from '../../support/servers/scripted-server';
import { PLAIN_SETTINGS } from './chat-settings';
import { NO_EXECUTION } from '../../support/n8n/node-host';
import { toInput, toTool } from '../../support/texts/messages';

const start = useServers();

interface Row {
	title: string;
	prompt: number;
	completion: number;
	reasoning?: number;
	maxTokens?: number;
	context?: number;
	hint: string;
}

const RAISE = 'Raise Maximum Tokens (now 100).';
const FULL = 'The context was full: raise the server context, or shorten the input.';
const EITHER = 'Raise Maximum Tokens or the server context.';
const SET = 'Set Maximum Tokens, or raise the server context.';

const ROWS: readonly Row[] = [
	{ title: 'the limit was reached', prompt: 9, completion: 100, maxTokens: 100, hint: RAISE },
	{ title: 'it ended below the limit', prompt: 9, completion: 99, maxTokens: 100, hint: FULL },
	{
		title: 'the thinking may count towards the limit',
		prompt: 9,
		completion: 60,
		reasoning: 40,
		maxTokens: 100,
		hint: EITHER,
	},
	{ title: 'no limit was set', prompt: 9, completion: 100, hint: SET },
	{
		title: 'no limit was set, and the context is free',
		prompt: 9,
		completion: 9,
		context: 99,
		hint: SET,
	},
	{
		title: 'no limit was set, and the context was full',
		prompt: 60,
		completion: 39,
		context: 100,
		hint: FULL,
	},
	{
		title: 'the limit was reached when the context was full',
		prompt: 3_996,
		completion: 100,
		maxTokens: 100,
		context: 4_096,
		hint: FULL,
	},
	{ title: 'nothing was counted', prompt: 0, completion: 0, maxTokens: 100, hint: EITHER },
];

/** A turn whose response the limit ended. */
async function play(
	{ prompt, completion, reasoning, maxTokens, context }: Row,
	...chunks: ReadonlyArray<ReturnType<typeof delta>>
) {
	const counts = usage({
		prompt_tokens: prompt,
		completion_tokens: completion,
		completion_tokens_details: { reasoning_tokens: reasoning },
	});
	const server = await start({
		...LLAMA_SERVER,
		...(context !== undefined && {
			'GET /props': (_request: unknown, response: { end(body: string): void }) =>
				response.end(JSON.stringify({ default_generation_settings: { n_ctx: context } })),
		}),
		[`POST ${CHAT}`]: streamed(...chunks, delta({}, 'length'), counts),
	});
	const shown: string[] = [];
	return await runTurn({
		server: createModelServer({ baseUrl: server.url }, NO_EXECUTION),
		settings: { ...PLAIN_SETTINGS, sampling: { maxTokens } },
		chatRequest: { messages: [toInput({ type: 'human', content: 'Hi' })] },
		onDelta: (text) => shown.push(text),
	}).catch(asServerErrorOrThrow);
}

test.each(ROWS)('a text that was cut off: $title', async (row) => {
	const result = await play(row, delta({ content: 'Hello' }));
	expect((result as { warnings: string[] }).warnings).toContain(
		`The response was cut off at the token limit. ${row.hint}`,
	);
});

test.each(ROWS)('a response without text: $title', async (row) => {
	const error = await play(row);
	expect(error).toBeInstanceOf(ServerError);
	expect((error as ServerError).suggestion).toContain(`before any text was generated. ${row.hint}`);
});

test('the error of a call that was cut off says how the response ended', async () => {
	const row = { title: '', prompt: 9, completion: 100, maxTokens: 100, hint: '' };
	const error = await play(row, delta({ content: 'I look.' }), called('1', 'look', '{"a":"b'));
	expect(error).toMatchObject({
		type: 'toolCallTruncated',
		suggestion: `${RAISE} Thinking uses tokens, too.`,
		known: {
			responseEnd: {
				shownLength: 'I look.'.length,
				promptTokens: 9,
				completionTokens: 100,
				maxTokens: 100,
				isContextFull: false,
			},
		},
	});
});

test('the error of arguments that end at the same place each time says how often', async () => {
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: streamed(called('1', 'look', '{"a":'), delta({}, 'tool_calls')),
	});
	const error = await runTurn({
		server: createModelServer({ baseUrl: server.url }, NO_EXECUTION),
		settings: PLAIN_SETTINGS,
		chatRequest: {
			messages: [toInput({ type: 'human', content: 'Hi' })],
			tools: [toTool({ name: 'look', schema: { properties: { a: { type: 'string' } } } })],
		},
	}).catch(asServerErrorOrThrow);
	const times = server.requests.filter(({ path }) => path === CHAT).length;
	expect(times).toBeGreaterThan(1);
	expect((error as ServerError).known.responseEnd?.cutCall).toEqual({
		tool: 'look',
		length: 5,
		times,
	});
});

test.each([
	{ title: 'the first time', attempts: ['{"a":'], times: 1 },
	{ title: 'at the same place again', attempts: ['{"a":', '{"b":'], times: 2 },
	{ title: 'at another place', attempts: ['{"a":"b"', '{"a":'], times: 1 },
	{ title: 'there and elsewhere', attempts: ['{"a":', '{"a', '{"a":'], times: 2 },
])('a call was cut where its arguments ended: $title', ({ attempts, times }) => {
	const turn = { cutCalls: [{ name: 'other', arguments: '{"a":' }] };
	const calls = attempts.map((args) => toCutCall(turn, { name: 'look', arguments: args }));
	expect(calls.at(-1)).toEqual({ tool: 'look', length: 5, times });
});

test('without counts, both may have ended it', () => {
	expect(suggestMoreTokens({ shownLength: 0, maxTokens: 100 })).toBe(EITHER);
});
