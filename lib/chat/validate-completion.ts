/** Validates a completion: accepts it, or builds the request that corrects it. */
import { createServerError, type ErrorContext } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { omitUndefined } from '../values';
import type { Outcome } from '../exchange/decide';
import type { Completion } from './completion';
import { toServerError, showsTextAtEnd, type CompletionAttempt } from './read-completion';
import { cleanResponseFormat } from './completion-request';
import { type TurnContext } from './turn-context';
import type { CompletionRequest } from './openai-body';
import type { RawToolCall } from '../text/text-tool-calls';
import {
	checkToolCalls,
	buildToolCallCorrection,
	buildFormatCorrection,
	type ToolCallIssue,
	toSafeName,
	toSafeNames,
} from './correction';
import { parseFormatCall } from './format-tool';
import type { ChatResult, ResponseFormat, ToolDefinition } from './types';
import { getUnsafeNumberWarnings } from '../json';
import { extractJson, type ExtractedJson } from '../text/extract-json';
import { validateAgainstSchema } from './validate-json';

/** A usable completion. */
export interface AcceptedCompletion extends Completion, Omit<CompletionAttempt, 'completion'> {
	/** Warnings for the user. */
	warnings: string[];
}

type ValidationResult = Outcome<CompletionRequest, AcceptedCompletion>;

/** @throws {ServerError} if the completion is not usable, and the model cannot correct it */
export function validateCompletion(
	turn: TurnContext,
	attempt: CompletionAttempt,
	draft: CompletionRequest,
): ValidationResult {
	const { completion } = attempt;
	const { toolCalls = [], text } = completion;
	if (toolCalls.length > 0 || completion.type === 'failed')
		return validateToolCalls(turn, attempt, draft, toolCalls);
	const formatCall = parseBufferedFormatCall(turn, text, draft.tools);
	if (formatCall !== undefined)
		return accept(attempt, completion, { text: '', toolCalls: [formatCall] });
	return validateText(turn, attempt, draft, completion);
}

/** Parses a call of n8n's output parser, if the text was not streamed. */
function parseBufferedFormatCall(
	turn: TurnContext,
	text: string,
	tools: readonly ToolDefinition[],
): RawToolCall | undefined {
	return showsTextAtEnd(turn) ? parseFormatCall(text, tools) : undefined;
}

function accept(
	{ url, firstTokenMs }: CompletionAttempt,
	completion: Completion,
	changes: Partial<AcceptedCompletion> = {},
): Extract<ValidationResult, { type: 'completed' }> {
	const value = { ...completion, url, firstTokenMs, warnings: [], ...changes };
	return { type: 'completed', value };
}

function validateToolCalls(
	turn: TurnContext,
	attempt: CompletionAttempt,
	draft: CompletionRequest,
	toolCalls: readonly RawToolCall[],
): ValidationResult {
	const { completion } = attempt;
	const { chatRequest, toolNames } = turn;
	const unofferedTools = (chatRequest.unofferedTools ?? []).map((tool) => ({
		...tool,
		name: toolNames.toWire(tool.name),
	}));
	const tools = [...draft.tools, ...unofferedTools];
	const isFromText = completion.type === 'completed' && completion.hasCallsFromText === true;
	const { validCalls, issues } =
		tools.length === 0
			? { validCalls: [...toolCalls], issues: [] }
			: checkToolCalls(toolCalls, tools, isFromText);
	if (issues.length === 0 && completion.type === 'completed')
		return accept(attempt, completion, { toolCalls: validCalls });
	const error = toToolCallError(turn, attempt, issues, tools);
	// Without tools, a call cannot be corrected.
	if (issues.length === 0) throw error;
	const correction = buildToolCallCorrection(completion.text, toolCalls, issues, tools);
	return {
		type: 'unusable',
		correctedDraft: { ...draft, messages: [...draft.messages, ...correction] },
		withoutCorrection:
			completion.type === 'failed' || validCalls.length === 0
				? { type: 'failed', error }
				: accept(attempt, completion, {
						toolCalls: validCalls,
						warnings: getIssueWarnings(issues),
					}),
	};
}

const MAX_WARNINGS = 10;

/** Warnings about calls that were ignored next to valid ones. */
function getIssueWarnings(issues: readonly ToolCallIssue[]): string[] {
	const warnings = issues
		.slice(0, MAX_WARNINGS)
		.map((issue) => `${describeIssue(issue)}. That call was ignored.`);
	const hiddenCount = issues.length - warnings.length;
	return hiddenCount > 0 ? [...warnings, `${hiddenCount} more calls were ignored.`] : warnings;
}

/** Describes a call of an unknown tool, or one with arguments that cannot be used. */
function describeIssue({ toolCall, type, details }: ToolCallIssue): string {
	const call = `The model called the tool "${toSafeName(toolCall.name)}"`;
	if (type === 'missingArguments')
		return `${call} without the required arguments ${toSafeNames(details)}`;
	return type === 'invalidArguments'
		? `${call} with arguments that do not match its schema`
		: `${call}, which is not connected`;
}

function toToolCallError(
	turn: TurnContext,
	{ completion, url }: CompletionAttempt,
	issues: readonly ToolCallIssue[],
	tools: readonly ToolDefinition[],
): ServerError {
	const unknownIssue = issues.find(({ type }) => type === 'unknownTool');
	if (unknownIssue === undefined && completion.type === 'failed')
		return toServerError(completion, { url, headers: {} }, turn);
	const { server, settings } = turn;
	const issue = unknownIssue ?? issues[0]!;
	const namedIssues = [issue, ...issues.filter(({ type }) => type !== 'brokenArguments')];
	const sentences = [...new Set(namedIssues.slice(0, MAX_WARNINGS).map(describeIssue))];
	const offeredTools = tools.map(({ name }) => name);
	if (unknownIssue !== undefined) sentences.push(`Connected tools: ${offeredTools.join(', ')}`);
	return createServerError('invalidToolCall', toErrorContext(server, url, settings.model), {
		title: sentences.join('. '),
		suggestion: SUGGESTIONS[issue.type],
		...omitUndefined({
			partialText: completion.text || undefined,
			partialReasoning: completion.reasoning || undefined,
		}),
		facts: unknownIssue === undefined ? { [issue.type]: issue.details } : { offeredTools },
		about: { tool: toSafeName(issue.toolCall.name) },
	});
}

const SUGGESTIONS: Readonly<Partial<Record<ToolCallIssue['type'], string>>> = {
	unknownTool:
		'Name the tools in the system prompt, connect the missing tool, or use a model with better tool support.',
	missingArguments:
		'Some servers lose the arguments of a call: try an update, another tool call parser, or a model with better tool support.',
	invalidArguments:
		'Name the fields you want in the prompt, lower the temperature, or use a model with better tool support.',
};

function validateText(
	turn: TurnContext,
	attempt: CompletionAttempt,
	draft: CompletionRequest,
	completion: Completion,
): ValidationResult {
	const result = validateJson(completion.text, turn.settings.parameters.responseFormat);
	if (result === undefined) return accept(attempt, completion);
	if (result.type === 'valid') {
		const isBare = completion.text.trim() === result.json;
		const text = isBare ? completion.text : result.json;
		return accept(attempt, completion, { text, warnings: result.unchecked });
	}
	const { issues } = result;
	const context = toErrorContext(turn.server, attempt.url, draft.model);
	const error = createJsonError(completion, context, issues);
	if (completion.finishReason === 'length') throw error;
	return {
		type: 'unusable',
		correctedDraft: buildJsonCorrection(turn, draft, completion, issues),
		withoutCorrection: { type: 'failed', error },
	};
}

/** Adds the response format if the first attempt was sent without it, otherwise a message with the issues. */
function buildJsonCorrection(
	{ settings, serverType }: TurnContext,
	draft: CompletionRequest,
	completion: Completion,
	issues: readonly string[],
): CompletionRequest {
	const { responseFormat } = settings.parameters;
	if (draft.parameters.responseFormat === undefined) {
		const parameters = { ...draft.parameters, ...omitUndefined({ responseFormat }) };
		return { ...draft, parameters: cleanResponseFormat(parameters, serverType) };
	}
	const correction = buildFormatCorrection(completion.text, issues.join('; '));
	return { ...draft, messages: [...draft.messages, ...correction] };
}

/** JSON that matches its schema, as far as the schema could be checked. */
interface ValidatedJson extends ExtractedJson {
	/** Warnings about parts that could not be checked. */
	unchecked: string[];
}

/** Warnings for the user about the JSON value of a response. */
export function getJsonWarnings({ unchecked, unsafeNumbers }: ValidatedJson): string[] {
	return [...unchecked, ...getUnsafeNumberWarnings(unsafeNumbers)];
}

/**
 * Parses and validates JSON if the format requires it; otherwise undefined. Validated here, because a server may ignore
 * the format or not enforce the schema.
 *
 * @returns the JSON, or its issues
 */
function validateJson(
	text: string,
	format: ResponseFormat | undefined,
): ValidatedJson | { type: 'invalid'; issues: string[] } | undefined {
	if (format?.type !== 'jsonObject' && format?.type !== 'jsonSchema') return undefined;
	const schema =
		format.type === 'jsonSchema' ? (format.validationSchema ?? format.schema) : { type: 'object' };
	const unchecked = new Set<string>();
	const result = extractJson(text, (value) => {
		const check = validateAgainstSchema(schema, value);
		for (const part of check.unchecked)
			unchecked.add(`Not validated against the JSON schema: ${part}`);
		return check.issues;
	});
	if (result.type === 'valid') return { ...result, unchecked: [...unchecked] };
	const issues = result.issues.length === 0 ? ['not valid JSON'] : result.issues;
	return { type: 'invalid', issues };
}

/**
 * The JSON of a response, if the format requires JSON; otherwise undefined.
 *
 * @throws {ServerError} of type `invalidResponse` with the text in `partialText`
 */
export function getRequestedJson(
	result: ChatResult,
	format: ResponseFormat | undefined,
): ValidatedJson | undefined {
	const validated = validateJson(result.text, format);
	if (validated?.type !== 'invalid') return validated;
	throw createJsonError(result, { url: result.url }, validated.issues);
}

/** The error for a response whose JSON is truncated or invalid. */
function createJsonError(
	{
		text,
		reasoning,
		finishReason,
		usage,
	}: Pick<ChatResult, 'text' | 'reasoning' | 'finishReason' | 'usage'>,
	context: Partial<ErrorContext>,
	issues: readonly string[],
): ServerError {
	const invalidTexts = {
		title: 'The response is not the requested JSON',
		detail: `The response is not the requested JSON: ${issues.join('; ')}`,
		suggestion:
			'Name the fields you want in the prompt, lower the temperature, or choose a larger model or a server that enforces the schema. The details contain the response.',
	};
	const truncatedTexts = {
		title: 'The JSON was cut off at the token limit',
		detail: 'The token limit was reached before the JSON was complete',
		suggestion: 'Raise Maximum Tokens or the server context, or turn thinking off.',
	};
	return createServerError('invalidResponse', context, {
		...(finishReason === 'length' ? truncatedTexts : invalidTexts),
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		facts: { issues, finishReason, ...omitUndefined({ usage }) },
	});
}
