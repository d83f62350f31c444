/** Validates a completion: accepts it, or builds the request that corrects it. */
import { classifyStreamError } from '../errors/classify-error';
import type { ErrorContext, ErrorOverrides, ServerError } from '../errors/server-error';
import { createServerError } from '../errors/server-error';
import type { RawToolCall } from '../text/calls/types';
import { describeRejectedCall } from './rejected-call';
import { toErrorContext } from '../http/request-errors';
import type { Outcome } from '../exchange/exchange';
import { cleanResponseFormat } from './completion-request';
import {
	buildToolCallCorrection,
	buildFormatCorrection,
	describeIssue,
	toSafeName,
} from './correction';
import type { ToolCallIssue } from './check-tool-calls';
import { checkToolCalls, parseFormatCall } from './check-tool-calls';
import type {
	ChatMessage,
	ToolDefinition,
	Completion,
	CompletionFailure,
	CompletionRequest,
	TurnContext,
} from './types';
import { validateJson, createJsonError } from './validate-json';
import { isJsonRequested } from './openai-body';

/** A completion, perhaps with invalid tool calls, which the model can correct. */
export interface AttemptedCompletion extends Completion {
	/** URL that responded. */
	url: string;
	/** Milliseconds to the first token; 0 for a response as one JSON object. */
	firstTokenMs: number;
}

/** A usable completion. */
export interface AcceptedCompletion extends AttemptedCompletion {
	/** Warnings for the user. */
	warnings: string[];
}

type ValidationResult = Outcome<CompletionRequest, AcceptedCompletion>;

/** Whether the text is shown only after validation. */
export function showsTextAtEnd({ chatRequest, settings }: TurnContext): boolean {
	return chatRequest.isBuffered === true || isJsonRequested(settings.parameters);
}

/** Throws a `ServerError` if the completion is not usable, and the model cannot correct it. */
export function validateCompletion(
	turn: TurnContext,
	completion: AttemptedCompletion,
	draft: CompletionRequest,
): ValidationResult {
	if (completion.failure || completion.toolCalls.length > 0)
		return validateToolCalls(turn, completion, draft);
	const formatCall = showsTextAtEnd(turn)
		? parseFormatCall(completion.text, draft.tools)
		: undefined;
	return formatCall
		? accept(completion, { text: '', toolCalls: [formatCall] })
		: validateText(turn, completion, draft);
}

function accept(
	completion: AttemptedCompletion,
	changes: Partial<AcceptedCompletion> = {},
): Extract<ValidationResult, { type: 'completed' }> {
	return { type: 'completed', value: { ...completion, warnings: [], ...changes } };
}

function validateToolCalls(
	turn: TurnContext,
	completion: AttemptedCompletion,
	draft: CompletionRequest,
): ValidationResult {
	const { toolCalls, failure } = completion;
	const unofferedTools = (turn.chatRequest.unofferedTools ?? []).map((tool) => ({
		...tool,
		name: turn.toolNames.toWire(tool.name),
	}));
	const tools = [...draft.tools, ...unofferedTools];
	const { validCalls, issues } =
		tools.length === 0 ? { validCalls: toolCalls, issues: [] } : checkToolCalls(toolCalls, tools);
	if (issues.length === 0 && !failure) return accept(completion, { toolCalls: validCalls });
	const cutOffCall = completion.isCutOff
		? issues.find(({ type }) => type !== 'unknownTool')?.toolCall
		: undefined;
	if (cutOffCall !== undefined) throw toCutOffError(turn, completion, cutOffCall);
	const error = toToolCallError(turn, completion, issues, tools);
	// Without tools, a call cannot be corrected.
	if (issues.length === 0) throw error;
	const correction = buildToolCallCorrection(completion.text, toolCalls, issues, tools);
	return {
		type: 'unusable',
		correctedDraft: {
			...withMessages(draft, correction),
			correctedCalls: [...(draft.correctedCalls ?? []), ...toolCalls],
		},
		withoutCorrection:
			failure || validCalls.length === 0
				? { type: 'failed', error }
				: accept(completion, { toolCalls: validCalls, warnings: getIssueWarnings(issues) }),
	};
}

/** The error of a call whose arguments the token limit cut off: the model cannot correct it. */
function toCutOffError(
	turn: TurnContext,
	completion: AttemptedCompletion,
	{ name: tool }: RawToolCall,
): ServerError {
	const failure: CompletionFailure = { errorType: 'toolCallTruncated', tool };
	const context = toErrorContext(turn.server, completion.url, turn.settings.model);
	return toServerError({ ...completion, failure }, context, turn);
}

const MAX_WARNINGS = 10;

/** Warnings about calls that were ignored next to valid ones. */
function getIssueWarnings(issues: ToolCallIssue[]) {
	const warnings = issues
		.slice(0, MAX_WARNINGS)
		.map((issue) => `${describeIssue(issue).title}. That call was ignored.`);
	const hiddenCount = issues.length - warnings.length;
	return hiddenCount > 0 ? [...warnings, `${hiddenCount} more calls were ignored.`] : warnings;
}

function toToolCallError(
	turn: TurnContext,
	completion: AttemptedCompletion,
	issues: ToolCallIssue[],
	tools: ToolDefinition[],
) {
	const unknownIssue = issues.find(({ type }) => type === 'unknownTool');
	const context = toErrorContext(turn.server, completion.url, turn.settings.model);
	if (!unknownIssue && completion.failure) return toServerError(completion, context, turn);
	const issue = unknownIssue ?? issues[0]!;
	const namedIssues = [issue, ...issues.filter(({ type }) => type !== 'brokenArguments')];
	const texts = namedIssues.slice(0, MAX_WARNINGS).map(describeIssue);
	const sentences = [...new Set(texts.map(({ title }) => title))];
	const offeredTools = tools.map(({ name }) => name);
	if (unknownIssue) sentences.push(`Connected tools: ${offeredTools.join(', ')}`);
	return createServerError('invalidToolCall', context, {
		title: sentences.join('. '),
		suggestion: texts[0]!.suggestion,
		facts: unknownIssue ? { offeredTools } : { [issue.type]: issue.details },
		about: { tool: toSafeName(issue.toolCall.name) },
	});
}

function validateText(
	turn: TurnContext,
	completion: AttemptedCompletion,
	draft: CompletionRequest,
): ValidationResult {
	const { parameters } = turn.settings;
	if (!isJsonRequested(parameters)) return accept(completion);
	const result = validateJson(completion.text, parameters.responseFormat);
	if (!result) return accept(completion);
	if (result.type === 'valid') {
		const isBare = completion.text.trim() === result.json;
		const text = isBare ? completion.text : result.json;
		return accept(completion, { text, warnings: result.unchecked });
	}
	const context = toErrorContext(turn.server, completion.url, draft.model);
	const error = createJsonError(completion, context, result.issues);
	if (completion.finishReason === 'length') throw error;
	const { responseFormat } = parameters;
	// The first attempt may have been sent without the response format.
	const correctedDraft = draft.parameters.responseFormat
		? withMessages(draft, buildFormatCorrection(completion.text, result.issues.join('; ')))
		: {
				...draft,
				parameters: cleanResponseFormat({ ...draft.parameters, responseFormat }, turn.serverType),
			};
	return {
		type: 'unusable',
		correctedDraft,
		withoutCorrection: { type: 'failed', error },
	};
}

function withMessages(draft: CompletionRequest, messages: ChatMessage[]) {
	return { ...draft, messages: [...draft.messages, ...messages] };
}

const TRUNCATED_BEFORE_TEXT =
	'The token limit was reached before any text was generated. Raise Maximum Tokens or the server context. Thinking uses tokens, too.';

/** The error of a completion that cannot be used. */
export function createCompletionError(
	{ errorType, errorBody, serverText, facts }: CompletionFailure,
	context: ErrorContext,
	overrides: ErrorOverrides = {},
): ServerError {
	return errorBody === undefined
		? createServerError(errorType, context, { serverText, facts, ...overrides })
		: classifyStreamError(errorBody, context);
}

/** The error of a chat's completion that cannot be used. `contentType`: of the response. */
export function toServerError(
	completion: Completion,
	context: ErrorContext,
	{ settings: { parameters }, serverType }: TurnContext,
	contentType = '',
): ServerError {
	const { finishReason, usage, rejectedCall } = completion;
	const failure = completion.failure!;
	const { maxTokens = 0 } = parameters;
	const isTruncated = failure.errorType === 'emptyResponse' && finishReason === 'length';
	// A call in thinking that never ended.
	const callHint = rejectedCall && describeRejectedCall(rejectedCall, serverType);
	return (
		toPlainTextError(completion, contentType, context) ??
		createCompletionError(failure, context, {
			suggestion: callHint ?? (isTruncated ? TRUNCATED_BEFORE_TEXT : undefined),
			facts: { ...failure.facts, usage },
			about: {
				tool: failure.tool,
				isThinkingOff: parameters.thinking?.mode === 'off',
				maxTokens: maxTokens > 0 ? maxTokens : undefined,
				hasModelEnded: finishReason === 'stop',
			},
		})
	);
}

/** The error for plain text instead of events: from a server that streams plain text, or from another program. */
function toPlainTextError(
	{ text, reasoning, failure }: Completion,
	contentType: string,
	context: ErrorContext,
) {
	const type = contentType.split(';')[0]!.trim();
	const isEmpty = failure?.errorType === 'streamEndedEarly' && text === '' && reasoning === '';
	if (!isEmpty || failure.serverText === undefined || !type || /event-stream|json/i.test(type))
		return undefined;
	const { serverText } = failure;
	return createServerError('invalidResponse', context, {
		title: `The server responded with ${type} instead of OpenAI API events (text/event-stream)`,
		suggestion:
			'A custom server must send each chunk as "data: {…}" with choices[0].delta.content and end with "data: [DONE]", or send the complete response as one JSON object. The details show what was received.',
		serverText,
		partialText: serverText,
	});
}
