/** Each field of a result, and what the execution log, LangChain and traces show of it; each form of a choice and of a tool. */
import path from 'node:path';
import type { ChatResult } from '../../../lib/chat/chat-result';
import { toLogFields } from '../../../lib/chat/log-fields';
import type { TurnHistory } from '../../../lib/chat/log-fields';
import { toResponseAttributes } from '../../../lib/chat/trace-turn';
import {
	toGenerationInfo,
	toInputMessage,
	toToolChoice,
	toUsageMetadata,
} from '../../../lib/langchain/host-data';
import { omitUndefined } from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { readTool } from '../../support/n8n/tools';
import { describeError } from '../../support/approved/outcome';
import { toShortInput, toShortTool } from '../../support/texts/messages';

const RESULT: ChatResult = {
	text: 'Hi',
	reasoning: '',
	toolCalls: [],
	finishReason: 'stop',
	warnings: [],
	url: 'http://server',
	firstTokenMs: 500,
	totalMs: 1500,
};

const USAGE = { promptTokens: 100, completionTokens: 21, totalTokens: 121 };

const RESULTS: Readonly<Record<string, Partial<ChatResult>>> = {
	nothing: {},
	'a model': { model: 'qwen3\u0000\u202E' },
	'no first token': { firstTokenMs: 0 },
	counts: { usage: USAGE },
	'counts of the cache': { usage: { ...USAGE, cachedTokens: 64, reasoningTokens: 5 } },
	'counts of 0': { usage: { ...USAGE, cachedTokens: 0, reasoningTokens: 0 } },
	'estimated counts': { usage: { ...USAGE, estimated: true } },
	'one token': { usage: { ...USAGE, completionTokens: 1 } },
	timings: {
		usage: USAGE,
		timings: {
			cache_n: 9,
			predicted_n: 21,
			predicted_per_second: 33.333,
			prompt_per_second: 412.18,
		},
	},
	'timings of one token': { timings: { predicted_n: 1, predicted_per_second: 1_000_000 } },
	drafts: { timings: { draft_n: 3, draft_n_accepted: 2 } },
	'no accepted drafts': { timings: { draft_n: 3, draft_n_accepted: 0 } },
	'a load of 999 ms': { timings: { load_ms: 999 } },
	'a load of 1000 ms': { timings: { load_ms: 1000 } },
	thinking: { reasoning: 'Hm' },
	'long thinking': { reasoning: 'x'.repeat(2001) },
	calls: { toolCalls: [{ id: '1', name: 'look', arguments: '{}' }] },
	'a server type': { serverType: 'vllm' },
	'log fields': { logFields: { queueWaitMs: 5 } },
};

const HISTORY: TurnHistory = {
	queueStats: { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 },
	appliedRules: [],
	waits: { busy: 0, loading: 0, connection: 0 },
	lastStartedInReasoning: false,
};

const HISTORIES: Readonly<Record<string, Partial<TurnHistory>>> = {
	nothing: {},
	'a short wait': { queueStats: { waitedMs: 0.9, hasPreemptedBatch: false, timesPreempted: 0 } },
	'a wait': { queueStats: { waitedMs: 1234.5, hasPreemptedBatch: false, timesPreempted: 0 } },
	'a canceled batch': { queueStats: { waitedMs: 0, hasPreemptedBatch: true, timesPreempted: 0 } },
	'canceled twice': { queueStats: { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 2 } },
	'held back': { lastStartedInReasoning: true },
	'two corrections': {
		appliedRules: [
			{ rule: 'correction', because: 'a correction was requested' },
			{ rule: 'correction', because: 'a correction was requested' },
		],
	},
	'a failure and a correction': {
		appliedRules: [
			{ rule: 'serverFailure', because: 'the server failed' },
			{ rule: 'correction', because: 'a correction was requested' },
		],
	},
	waits: { waits: { busy: 2, loading: 1, connection: 3 } },
};

const CHOICES = [
	'any',
	true,
	'auto',
	'none',
	'required',
	'look',
	{ type: 'function', function: { name: 'look' } },
	{ type: 'tool', name: 'look' },
	undefined,
	5,
	{},
];

const TOOLS: readonly unknown[] = [
	{
		type: 'function',
		function: {
			name: 'look',
			description: 'D',
			parameters: { $schema: 'x', type: 'object', properties: { a: {} } },
		},
	},
	{ type: 'function', function: { name: 'look' } },
	{ name: 'look', description: '', schema: { type: 'object' } },
	{ name: 'look', inputSchema: { type: 'object' } },
	{ name: 'look', parameters: { type: 'object' } },
	{ name: 'look', schema: {} },
	{ type: 'web_search', name: 'look' },
	{ type: 'web_search', name: 'look', schema: { type: 'object' } },
	{ name: 'MCP_Client_look', metadata: { sourceNodeName: 'MCP Client' } },
	{ name: 'MCP_Client_look', metadata: { sourceNodeName: 'MCP Client', isFromToolkit: false } },
	{
		name: 'MCP_Client_look',
		metadata: { sourceNodeName: 'Approval', gatedToolNodeName: 'MCP Client' },
	},
	{ name: 'MCP_Client_look', metadata: { sourceNodeName: 'Other' } },
	{ name: 'parser', schema: { parse: () => {} } },
	{ description: 'no name' },
	'look',
];

const MESSAGES = [
	{ type: 'human', message: { content: 'a' } },
	{
		type: 'ai',
		message: {
			content: 'a',
			tool_calls: [{ id: '1', name: 'f', args: { b: 1 } }],
			additional_kwargs: { reasoning_content: 'r' },
		},
	},
	{
		type: 'ai',
		message: {
			content: '',
			additional_kwargs: { reasoning: 'r' },
			invalid_tool_calls: [{ name: 'f', args: '{' }],
		},
	},
	{ type: 'tool', message: { content: 'a', tool_call_id: '1', name: 'f' } },
	{ type: 'generic', message: { content: 'a', role: 'developer' } },
	{ type: 'generic', message: { content: 'a', role: 'tool' } },
	{ type: 'function', message: { content: 'a' } },
	{ type: 'strange', message: { content: 'a' } },
];

const toDifference = (value: object, plain: object) =>
	Object.fromEntries(
		Object.entries(value).filter(
			([name, of]) =>
				JSON.stringify(of) !== JSON.stringify((plain as Record<string, unknown>)[name]),
		),
	);

const describeResult = (name: string, result: Partial<ChatResult>) => {
	const of = { ...RESULT, ...result };
	const log = toGenerationInfo(of);
	const trace = omitUndefined(toResponseAttributes(of, 1000));
	const isPlain = name === 'nothing';
	return omitUndefined({
		log: isPlain ? log : toDifference(log, toGenerationInfo(RESULT)),
		trace: isPlain ? trace : toDifference(trace, omitUndefined(toResponseAttributes(RESULT, 1000))),
		usage: toUsageMetadata(of),
	});
};

const describeTool = (tool: unknown): unknown => {
	try {
		return toShortTool(readTool(tool));
	} catch (error) {
		return describeError(error);
	}
};

test('each field has its places', () => {
	const shorten = (outcome: unknown) =>
		(JSON.stringify(outcome) ?? 'undefined').replace(
			/x{20,}/g,
			(text) => `(${String(text.length)})`,
		);
	const rows = [
		...Object.entries(RESULTS).map(([name, result]) => ({
			input: `result with ${name}`,
			outcome: describeResult(name, result),
		})),
		...Object.entries(HISTORIES).map(([name, history]) => ({
			input: `history with ${name}`,
			outcome: omitUndefined(toLogFields({ ...HISTORY, ...history })),
		})),
		...CHOICES.map((choice) => ({
			input: `choice ${JSON.stringify(choice) ?? 'undefined'}`,
			outcome: toToolChoice(choice),
		})),
		...TOOLS.map((tool) => ({
			input: `tool ${JSON.stringify(tool)}`,
			outcome: describeTool(tool),
		})),
		...MESSAGES.map(({ type, message }) => ({
			input: `message ${type} ${JSON.stringify(message)}`,
			outcome: toShortInput(toInputMessage({ ...message, getType: () => type })),
		})),
	];
	expectApproved(
		path.join(__dirname, 'host-data.fields.approved.txt'),
		rows.map(({ input, outcome }) => ({ input, outcome: shorten(outcome) })),
		'A field of a result has its places in the log and in traces, and no secret does',
	);
});
