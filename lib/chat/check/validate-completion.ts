/** Validates a completion: accepts it, or builds the request that corrects it. */
import { describeInvalidCall } from '../../errors/chapters/turns';
import type { ServerError } from '../../errors/server-error';
import { createServerError } from '../../errors/create-error';
import type { RawToolCall } from '../../text/calls/types';
import type { UsableOutcome, AttemptOutcome } from '../../exchange/types';
import { cleanResponseFormat } from '../body/completion-request';
import {
	buildToolCallCorrection,
	buildFormatCorrection,
	toInvalidCall,
	toSafeName,
} from './correction';
import type { CheckedToolCalls } from './check-tool-calls';
import type { ToolCallIssue } from './tool-call-issue';
import { checkToolCalls } from './check-tool-calls';
import { parseFormatCall } from './format-call';
import { toCutCall, getResponseEnd } from '../response-end';
import type { TurnContext } from '../turn-context';
import type { Completion, CompletionFailure, CompletionRequest } from '../completion';
import type { ChatRequest } from '../chat-request';
import type { JsonMismatch, RequestedJson } from '../chat-result';
import type { ToolDefinition } from '../tool-definition';
import type { ChatMessage } from '../chat-message';
import { parseJson } from '../../values/json';
import type { ValidatedJson } from './validate-json';
import { validateJson, createJsonError } from './validate-json';
import { isJsonRequested } from '../settings';
import type { CompletionSource } from '../read/completion-error';
import { createChatCompletionError } from './chat-completion-error';
import { showsTextAtEnd } from '../turn-context';

/** A completion that the turn can return: its calls are checked, and its JSON is valid or beside a call. */
export interface ValidatedCompletion extends Completion {
	/** Warnings for the user. */
	warnings: string[];
	/** The JSON of the text, or why it is none, if the response format requires JSON. */
	json?: RequestedJson;
}

/** A completion to check. */
export interface ReceivedCompletion {
	/** Its calls may be invalid, if the model can correct them. */
	completion: Completion;
	/** Of the response, for errors. */
	source: CompletionSource;
	/** The request that got it. */
	draft: CompletionRequest;
}

type ValidationOutcome = AttemptOutcome<CompletionRequest, ValidatedCompletion>;

/** @throws {ServerError} if the completion is not usable, and the model cannot correct it */
export function validateCompletion(
	turn: TurnContext,
	received: ReceivedCompletion,
): ValidationOutcome {
	const { completion, draft } = received;
	if (completion.failure || completion.toolCalls.length > 0)
		return validateCallsOrFailure(turn, received);
	const formatCall = showsTextAtEnd(turn)
		? parseFormatCall(completion.text, draft.tools)
		: undefined;
	return formatCall
		? accept(completion, { text: '', toolCalls: [formatCall] })
		: validateText(turn, received);
}

function accept(
	completion: Completion,
	changes: Partial<ValidatedCompletion> = {},
): UsableOutcome<ValidatedCompletion> {
	return { type: 'usable', value: { ...completion, warnings: [], ...changes } };
}

function validateCallsOrFailure(
	turn: TurnContext,
	received: ReceivedCompletion,
): ValidationOutcome {
	const { completion, draft } = received;
	const { toolCalls, failure } = completion;
	const unofferedTools = (turn.chatRequest.unofferedTools ?? []).map((tool) => ({
		...tool,
		name: turn.toolNames.toWire(tool.name),
	}));
	const tools = [...draft.tools, ...unofferedTools];
	const { validCalls, issues, warnings }: CheckedToolCalls =
		tools.length === 0
			? { validCalls: toolCalls, issues: [], warnings: [] }
			: checkToolCalls(toolCalls, tools);
	if (issues.length === 0 && !failure) {
		// Without tools, the text may be what was requested.
		const { responseFormat } = turn.settings.sampling;
		const json = tools.length === 0 ? validateJson(completion, responseFormat) : undefined;
		return accept(completion, { toolCalls: validCalls, json, warnings });
	}
	const cutOffCall = completion.isCutOff
		? issues.find(({ type }) => type !== 'unknownTool')?.toolCall
		: undefined;
	if (cutOffCall !== undefined) throw toCutOffError(turn, received, cutOffCall);
	const error = toToolCallError(turn, received, { issues, tools });
	// Without tools, a call cannot be corrected.
	if (issues.length === 0) throw error;
	const correction = buildToolCallCorrection({
		text: completion.text,
		calls: toolCalls,
		issues,
		tools,
	});
	return {
		type: 'correctable',
		correctedDraft: withMessages(draft, correction),
		outcomeIfUncorrected:
			failure || validCalls.length === 0
				? { type: 'failed', error }
				: accept(completion, {
						toolCalls: validCalls,
						warnings: [...getIssueWarnings(issues), ...warnings],
					}),
	};
}

/** The error of a call whose arguments the token limit cut off: the model cannot correct it. */
function toCutOffError(
	turn: TurnContext,
	{ completion, source }: ReceivedCompletion,
	call: RawToolCall,
): ServerError {
	const failure: CompletionFailure = { errorType: 'toolCallTruncated', tool: call.name };
	const cutCall = toCutCall(turn, call);
	return createChatCompletionError(turn, {
		completion: { ...completion, failure },
		source,
		cutCall,
	});
}

const MAX_WARNINGS = 10;

/** Warnings about calls that were ignored next to valid ones. */
function getIssueWarnings(issues: ToolCallIssue[]) {
	const warnings = issues
		.slice(0, MAX_WARNINGS)
		.map((issue) => `${describeInvalidCall(toInvalidCall(issue))}. That call was ignored.`);
	const hiddenCount = issues.length - warnings.length;
	return hiddenCount > 0 ? [...warnings, `${hiddenCount} more calls were ignored.`] : warnings;
}

function toToolCallError(
	turn: TurnContext,
	{ completion, source }: ReceivedCompletion,
	{ issues, tools }: { issues: ToolCallIssue[]; tools: ToolDefinition[] },
) {
	const unknownIssue = issues.find(({ type }) => type === 'unknownTool');
	const cutIssue = issues.find(({ type }) => type === 'brokenArguments');
	const cutCall = cutIssue && toCutCall(turn, cutIssue.toolCall);
	if (!unknownIssue && completion.failure)
		return createChatCompletionError(turn, { completion, source, cutCall });
	const issue = unknownIssue ?? issues[0]!;
	const namedIssues = [issue, ...issues.filter(({ type }) => type !== 'brokenArguments')];
	const connected = unknownIssue && tools.map(({ name }) => name);
	const calls = namedIssues.slice(0, MAX_WARNINGS).map(toInvalidCall);
	return createServerError('invalidToolCall', source.errorContext, {
		facts: connected ? { offeredTools: connected } : { [issue.type]: issue.details },
		about: {
			tool: toSafeName(issue.toolCall.name),
			invalidCalls: { calls, connected },
			responseEnd: {
				...getResponseEnd(turn, completion),
				cutCall: issue === cutIssue ? cutCall : undefined,
			},
		},
	});
}

function validateText(
	turn: TurnContext,
	{ completion, source, draft }: ReceivedCompletion,
): ValidationOutcome {
	const { settings, serverType, chatRequest } = turn;
	const { responseFormat } = settings.sampling;
	// Another request would be refused, too.
	if (completion.isRefusal && isJsonRequested(settings.sampling))
		throw createServerError('modelRefused', source.errorContext, { serverText: completion.text });
	const result = withCallerIssues(validateJson(completion, responseFormat), chatRequest);
	if (!result) return accept(completion);
	if (result.type === 'valid') {
		const { json, value, unsafeNumbers, unchecked } = result;
		const text = completion.text.trim() === json ? completion.text : json;
		return accept(completion, {
			text,
			json: { type: 'valid', value, unsafeNumbers },
			warnings: unchecked,
		});
	}
	const mismatch = { ...result, end: getResponseEnd(turn, completion) };
	const error = createJsonError(completion, source.errorContext, mismatch);
	// Another attempt would reach the limit, too.
	if (result.isCutOff) throw error;
	// The first attempt may have been sent without the response format.
	const correctedDraft = draft.sampling.responseFormat
		? withMessages(draft, buildFormatCorrection(completion.text, result.issues))
		: {
				...draft,
				sampling: cleanResponseFormat({ ...draft.sampling, responseFormat }, serverType),
			};
	return {
		type: 'correctable',
		correctedDraft,
		outcomeIfUncorrected:
			chatRequest.requestedFormat?.acceptsMismatch === true
				? accept(completion, { json: mismatch })
				: { type: 'failed', error },
	};
}

/** Matching JSON may still violate what the caller's schema says beyond JSON schema. */
function withCallerIssues(
	result: ValidatedJson | JsonMismatch | undefined,
	{ requestedFormat }: ChatRequest,
): ValidatedJson | JsonMismatch | undefined {
	if (result?.type !== 'valid' || !requestedFormat) return result;
	const issues = [...requestedFormat.findIssues(parseJson(result.json))];
	return issues.length === 0 ? result : { type: 'invalid', issues, isCutOff: false };
}

function withMessages(draft: CompletionRequest, messages: ChatMessage[]) {
	return { ...draft, messages: [...draft.messages, ...messages] };
}
