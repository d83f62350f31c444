/** Corrections: the model reads what was wrong with its tool calls or its JSON, and responds again. */
import { breakTurnTokens } from '../../text/turn-tokens';
import { truncate } from '../../values/text';
import type { InvalidCall } from '../../errors/issues';
import type { ToolCallIssue } from './tool-call-issue';
import { createServerToolCallId } from '../tools/tool-call-ids';
import { normalizeArguments } from '../tools/arguments';
import type { RawToolCall } from '../../text/calls/types';
import type { ToolDefinition } from '../tool-definition';
import type { ChatMessage } from '../chat-message';

/** Maximum bytes that a correction adds to the conversation, as JSON without the fields of the wire protocol. */
const MAX_BYTES = 3_600;
/** Maximum repeated calls, and bytes for the text and for each call's arguments. The first size that fits is used. */
const SIZES = [
	{ count: 10, bytes: 1_000 },
	{ count: 10, bytes: 300 },
	{ count: 10, bytes: 100 },
	{ count: 3, bytes: 100 },
	{ count: 1, bytes: 100 },
];
const MAX_NAMES = 20;
const MAX_NAME = 64;
/** Maximum bytes of a name, a list of names, broken arguments, and a response that violates its format. */
const MAX_NAME_BYTES = 200;
const MAX_LIST_BYTES = 1_000;
const MAX_QUOTED = 200;
const MAX_FORMATTED = 2_000;

/** Shortens a name from a model or a tool, and breaks its control tokens. */
export function toSafeName(name: string): string {
	return toSafeStart(truncate(name, MAX_NAME), MAX_NAME_BYTES);
}

/** Quotes names from a tool's schema. */
function toSafeNames(names: readonly string[]) {
	return toSafeStart(names.slice(0, MAX_NAMES).map(toSafeName).join(', '), MAX_LIST_BYTES);
}

/** Truncates a text to a number of bytes as JSON, and breaks its control tokens. */
function toSafeStart(text: string, bytes: number) {
	let start = '';
	let size = 0;
	for (const character of breakTurnTokens(text.slice(0, bytes))) {
		size += getJsonSize(character) - '""'.length;
		if (size > bytes - Buffer.byteLength('…')) return `${start}…`;
		start += character;
	}
	return start;
}

function getJsonSize(value: unknown) {
	return Buffer.byteLength(JSON.stringify(value));
}

/** What a model reads as the result of a call that cannot run. */
const TEXTS: Readonly<Record<InvalidCall['type'], (call: InvalidCall) => string>> = {
	unknownTool: ({ tool }) => `Error: there is no tool "${tool}".`,
	missingArguments: ({ tool, details }) =>
		`Error: the call to ${tool} is missing required arguments: ${details}. Call it again with all of them.`,
	unknownArguments: ({ tool, details }) =>
		`Error: ${tool} has no arguments named ${details}. Call it again with arguments of its schema.`,
	ambiguousArguments: ({ tool, details }) =>
		`Error: the arguments of ${tool} have more than one value for ${details}. Call it again with one value for each argument.`,
	invalidArguments: ({ tool, details }) =>
		`Error: the arguments of ${tool} do not match its schema: ${details}. Call it again with arguments that match.`,
	brokenArguments: ({ tool, details }) =>
		`Error: the arguments of ${tool} are not valid JSON: ${details}. Call it again with valid JSON.`,
};

/** An issue with its names and details as they may be shown. */
export function toInvalidCall({ toolCall, type, details }: ToolCallIssue): InvalidCall {
	const formattedDetails = {
		unknownTool: '',
		missingArguments: toSafeNames(details),
		unknownArguments: toSafeNames(details),
		ambiguousArguments: toSafeNames(details),
		invalidArguments: toSafeStart(details.join('; '), MAX_LIST_BYTES),
		brokenArguments: JSON.stringify(toSafeStart(toolCall.arguments, MAX_QUOTED)),
	};
	const tool = toSafeName(toolCall.name) || '(none)';
	return { type, tool, details: formattedDetails[type] };
}

/** What the model reads about an issue. */
export function describeForModel(issue: ToolCallIssue): string {
	return TEXTS[issue.type](toInvalidCall(issue));
}

/** A response with calls that have issues. */
export interface IncorrectResponse {
	/** The text before the calls. */
	text: string;
	/** All calls, as the model wrote them. */
	calls: readonly RawToolCall[];
	/** Those of the invalid calls. */
	issues: readonly ToolCallIssue[];
	/** What the model may call. */
	tools: readonly ToolDefinition[];
}

/**
 * Messages added for the next attempt: the same calls, with their issues as results. Invalid and long arguments are sent
 * as `{}`, because a template parses them (llama-server responds with 500 otherwise).
 */
export function buildToolCallCorrection({
	text,
	calls,
	issues,
	tools,
}: IncorrectResponse): ChatMessage[] {
	const issueByCall = new Map(issues.map((issue) => [issue.toolCall, issue]));
	const invalidFirst = [...new Set([...issueByCall.keys(), ...calls])];
	const names = tools.slice(0, MAX_NAMES).map(({ name }) => name);
	const firstUnknown = issues.find(({ type }) => type === 'unknownTool')?.toolCall;
	let correction: ChatMessage[] = [];
	for (const { count, bytes } of SIZES) {
		const repeated = new Set(invalidFirst.slice(0, count));
		const repeatedCalls = calls.filter((toolCall) => repeated.has(toolCall));
		const omitted = calls.length - repeatedCalls.length;
		const toolCalls = repeatedCalls.map((toolCall) => ({
			id: createServerToolCallId(),
			name: toSafeName(toolCall.name),
			arguments: toRepeatedArguments(toolCall, bytes),
		}));
		const results = repeatedCalls.map((toolCall, index): ChatMessage => {
			const { id, name } = toolCalls[index]!;
			const issue = issueByCall.get(toolCall);
			const content = [
				issue
					? describeForModel(issue)
					: 'Not executed, because another call in the same response was invalid.',
				toolCall === firstUnknown &&
					`Available tools: ${names.join(', ')}. Call one of these, or respond without a tool.`,
				omitted > 0 &&
					index === repeatedCalls.length - 1 &&
					`${omitted} more calls were not executed.`,
			];
			const text = content.filter(Boolean).join(' ');
			return { role: 'tool', toolCallId: id, name, content: text, origin: 'node' };
		});
		const repeatedText = toSafeStart(text, bytes);
		correction = [
			{ role: 'assistant', content: repeatedText, origin: 'model', toolCalls },
			...results,
		];
		if (getJsonSize(correction) <= MAX_BYTES) break;
	}
	return correction;
}

function toRepeatedArguments(toolCall: RawToolCall, bytes: number) {
	const isShort = toolCall.arguments.length <= bytes && getJsonSize(toolCall.arguments) <= bytes;
	const args = isShort ? normalizeArguments(toolCall.arguments) : undefined;
	return breakTurnTokens(args ?? '{}');
}

/**
 * The correction of a response that does not match the schema of the response format.
 *
 * @param text the response
 * @param issues how it differs from the schema
 */
export function buildFormatCorrection(text: string, issues: readonly string[]): ChatMessage[] {
	const issue = toSafeStart(issues.join('; '), MAX_LIST_BYTES);
	const request = `The response does not match the JSON schema: ${issue}. Respond again with JSON that matches it, and nothing else.`;
	return [
		{ role: 'assistant', content: toSafeStart(text, MAX_FORMATTED), origin: 'model' },
		{ role: 'user', content: [{ type: 'text', text: request, origin: 'node' }] },
	];
}
