/** Validates a completion: accepts it, or builds the request that corrects it. */
import type { ServerError } from '../../errors/server-error';
import { createServerError } from '../../errors/create-error';
import type { RawToolCall } from '../../text/calls/types';
import { toErrorContext } from '../../http/request-errors';
import type { CompletedOutcome, Outcome } from '../../exchange/types';
import { cleanResponseFormat } from '../body/completion-request';
import {
	buildToolCallCorrection,
	buildFormatCorrection,
	describeIssue,
	toSafeName,
} from './correction';
import type { ToolCallIssue } from './check-tool-calls';
import { checkToolCalls } from './check-tool-calls';
import { parseFormatCall } from './format-call';
import type {
	ChatMessage,
	ToolDefinition,
	Completion,
	CompletionFailure,
	CompletionRequest,
	TurnContext,
} from '../types';
import { validateJson, createJsonError } from './validate-json';
import { isJsonRequested } from '../body/openai-body';
import { toServerError } from './completion-error';

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

/** @throws {ServerError} if the completion is not usable, and the model cannot correct it */
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
): CompletedOutcome<AcceptedCompletion> {
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
	const error = toToolCallError(turn, completion, { issues, tools });
	// Without tools, a call cannot be corrected.
	if (issues.length === 0) throw error;
	const correction = buildToolCallCorrection({
		text: completion.text,
		calls: toolCalls,
		issues,
		tools,
	});
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
		.map((issue) => `${describeIssue(issue).forUser}. That call was ignored.`);
	const hiddenCount = issues.length - warnings.length;
	return hiddenCount > 0 ? [...warnings, `${hiddenCount} more calls were ignored.`] : warnings;
}

function toToolCallError(
	turn: TurnContext,
	completion: AttemptedCompletion,
	{ issues, tools }: { issues: ToolCallIssue[]; tools: ToolDefinition[] },
) {
	const unknownIssue = issues.find(({ type }) => type === 'unknownTool');
	const context = toErrorContext(turn.server, completion.url, turn.settings.model);
	if (!unknownIssue && completion.failure) return toServerError(completion, context, turn);
	const issue = unknownIssue ?? issues[0]!;
	const namedIssues = [issue, ...issues.filter(({ type }) => type !== 'brokenArguments')];
	const texts = namedIssues.slice(0, MAX_WARNINGS).map(describeIssue);
	const sentences = [...new Set(texts.map(({ forUser }) => forUser))];
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
	// Another request would be refused, too.
	if (completion.isRefusal)
		throw createServerError(
			'modelRefused',
			toErrorContext(turn.server, completion.url, draft.model),
			{ serverText: completion.text },
		);
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
		? withMessages(draft, buildFormatCorrection(completion.text, result.issues))
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
