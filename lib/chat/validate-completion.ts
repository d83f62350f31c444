/** Whether an answer is usable, and what the model is asked next where it is not. */
import { createServerError, type ErrorContext } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { omitUndefined } from '../values';
import { withSuggestion } from './suggestions';
import type { Completion } from './completion-accumulator';
import { toServerError, isBuffered, type CompletionAttempt } from './request-completion';
import { cleanResponseFormat, type TurnContext } from './completion-request';
import type { CompletionRequest } from './openai-body';
import { createToolCallIds, type RawToolCall } from './tool-calls';
import {
	checkToolCalls,
	buildToolCallCorrection,
	buildFormatCorrection,
	type ToolCallIssue,
	shownName,
	shownNames,
} from './correction';
import { parseFormatCall } from './format-tool';
import type { ChatResult, ResponseFormat, ToolDefinition } from './types';
import { getUnsafeNumberWarnings } from '../json';
import { extractJson, type ExtractedJson } from './extract-json';
import { validateAgainstSchema } from './validate-json';

/** What a usable answer says. */
export interface AcceptedCompletion extends Completion {
	/** Notes for the user. */
	warnings: string[];
}

export interface ValidationResult {
	/** What is asked in its place; undefined for a good answer. */
	correctedRequest?: CompletionRequest;
	/**
	 * The answer, if nothing more is asked.
	 *
	 * @throws {ServerError} where it is not usable at all
	 */
	accept(): AcceptedCompletion | Promise<AcceptedCompletion>;
}

/** Judges what was read as the answer to a body. */
export function validateCompletion(
	turn: TurnContext,
	read: CompletionAttempt,
	body: CompletionRequest,
): ValidationResult {
	const { completion } = read;
	const { toolCalls: calls = [], text } = completion;
	if (calls.length > 0 || 'type' in completion) return validateToolCalls(turn, read, body, calls);
	const written = parseBufferedFormatCall(turn, text, body.tools);
	if (written !== undefined) return accept(read, completion, { text: '', toolCalls: [written] });
	return validateText(turn, read, body, completion);
}

/** A call of n8n's output parser, where nobody saw the text. */
function parseBufferedFormatCall(
	turn: TurnContext,
	text: string,
	tools: readonly ToolDefinition[],
): RawToolCall | undefined {
	return isBuffered(turn) ? parseFormatCall(text, tools) : undefined;
}

function accept(
	read: CompletionAttempt,
	answer: Completion,
	changes: Partial<AcceptedCompletion> = {},
): ValidationResult {
	const usable = {
		...answer,
		...changes,
		warnings: [...read.warnings, ...(changes.warnings ?? [])],
	};
	return { accept: () => usable };
}

function validateToolCalls(
	turn: TurnContext,
	read: CompletionAttempt,
	body: CompletionRequest,
	toolCalls: readonly RawToolCall[],
): ValidationResult {
	const { completion } = read;
	const { chatRequest, toolNames } = turn;
	const further = (chatRequest.unofferedTools ?? []).map((tool) => ({
		...tool,
		name: toolNames.toWire(tool.name),
	}));
	const tools = [...body.tools, ...further];
	const isFromText = 'hasCallsFromText' in completion;
	const { calls, faults } =
		tools.length === 0
			? { calls: [...toolCalls], faults: [] }
			: checkToolCalls(toolCalls, tools, isFromText);
	const whole = 'type' in completion ? undefined : completion;
	if (faults.length === 0 && whole !== undefined) return accept(read, whole, { toolCalls: calls });
	const fail = () => {
		throw toToolCallError(turn, read, faults, tools);
	};
	// Without tools there is nothing to correct a call by.
	if (faults.length === 0) return { accept: fail };
	const ids = createToolCallIds(toolCalls.map(() => undefined));
	const correction = buildToolCallCorrection(
		completion.text,
		toolCalls,
		faults,
		tools,
		(index) => ids[index]!,
	);
	return {
		correctedRequest: { ...body, messages: [...body.messages, ...correction] },
		accept: () => {
			if (whole === undefined || calls.length === 0) return fail();
			return { ...whole, toolCalls: calls, warnings: [...read.warnings, ...notesOnFaults(faults)] };
		},
	};
}

const MAX_NOTES = 10;

/** Notes on calls that were ignored beside valid ones. */
function notesOnFaults(faults: readonly ToolCallIssue[]): string[] {
	const notes = faults
		.slice(0, MAX_NOTES)
		.map((fault) => `${wordsOn(fault)}. That call was ignored.`);
	const more = faults.length - notes.length;
	return more > 0 ? [...notes, `${more} more calls were ignored.`] : notes;
}

/** A call of an unknown tool, or one that lacks arguments. */
function wordsOn({ call, missing }: ToolCallIssue): string {
	const what =
		missing.length === 0
			? ', which is not connected'
			: ` without the required arguments ${shownNames(missing)}`;
	return `The model called the tool "${shownName(call.name)}"${what}`;
}

function toToolCallError(
	turn: TurnContext,
	{ completion, url }: CompletionAttempt,
	faults: readonly ToolCallIssue[],
	tools: readonly ToolDefinition[],
): ServerError {
	const unknown = faults.find(({ type }) => type === 'unknownTool');
	if (unknown === undefined && 'type' in completion)
		return toServerError(completion, { url, headers: {} }, turn);
	const { server, settings } = turn;
	const fault = unknown ?? faults[0]!;
	const named = [fault, ...faults.filter(({ type }) => type !== 'brokenArguments')];
	const sentences = [...new Set(named.slice(0, MAX_NOTES).map(wordsOn))];
	const offeredTools = tools.map(({ name }) => name);
	if (unknown !== undefined) sentences.push(`Connected tools: ${offeredTools.join(', ')}`);
	return createServerError('invalidToolCall', toErrorContext(server, url, settings.model), {
		message: sentences.join('. '),
		suggestion: unknown === undefined ? ARGUMENTS_LOST : TOOL_UNKNOWN,
		...omitUndefined({
			partialText: completion.text || undefined,
			partialReasoning: completion.reasoning || undefined,
		}),
		facts: unknown === undefined ? { missingArguments: fault.missing } : { offeredTools },
		about: { tool: shownName(fault.call.name) },
	});
}

const TOOL_UNKNOWN =
	'Name the tools in the system prompt, connect the missing tool, or use a model with better tool support.';
const ARGUMENTS_LOST =
	'Some servers lose the arguments of a call: try an update, another tool call parser, or a model with better tool support.';

function validateText(
	turn: TurnContext,
	read: CompletionAttempt,
	body: CompletionRequest,
	answer: Completion,
): ValidationResult {
	const outcome = validateJson(answer.text, turn.settings.parameters.responseFormat);
	if (outcome === undefined) return accept(read, answer);
	if (!('faults' in outcome)) {
		const isBare = answer.text.trim() === outcome.json;
		const text = isBare ? answer.text : outcome.json;
		return accept(read, answer, { text, warnings: outcome.unchecked });
	}
	const { faults } = outcome;
	const isCut = answer.finishReason === 'length';
	return {
		...(isCut ? {} : { correctedRequest: buildJsonCorrection(turn, body, answer, faults) }),
		accept: async () => {
			const failed = createJsonError(
				answer,
				toErrorContext(turn.server, read.url, body.model),
				faults,
			);
			throw await withSuggestion(failed, turn, body);
		},
	};
}

/** With the format, if the first try went without it; else with what was wrong. */
function buildJsonCorrection(
	{ settings, serverType }: TurnContext,
	body: CompletionRequest,
	answer: Completion,
	faults: readonly string[],
): CompletionRequest {
	const { responseFormat } = settings.parameters;
	if (body.parameters.responseFormat === undefined) {
		const parameters = { ...body.parameters, ...omitUndefined({ responseFormat }) };
		return { ...body, parameters: cleanResponseFormat(parameters, serverType) };
	}
	const correction = buildFormatCorrection(answer.text, faults.join('; '));
	return { ...body, messages: [...body.messages, ...correction] };
}

/** JSON that follows its schema, as far as that could be checked. */
interface ValidatedJson extends ExtractedJson {
	/** What could not be checked, in sentences. */
	unchecked: string[];
}

/** Notes for the user about the value of an answer. */
export function getJsonWarnings({ unchecked, unsafeNumbers }: ValidatedJson): string[] {
	return [...unchecked, ...getUnsafeNumberWarnings(unsafeNumbers)];
}

/**
 * The JSON of a text, if the format asks for JSON; otherwise undefined. Checked here, since a server may ignore the
 * format or not enforce the schema.
 *
 * @returns the JSON, or the faults of what was found
 */
function validateJson(
	text: string,
	format: ResponseFormat | undefined,
): ValidatedJson | { faults: string[] } | undefined {
	if (format?.type !== 'jsonObject' && format?.type !== 'jsonSchema') return undefined;
	const schema =
		format.type === 'jsonSchema' ? (format.least ?? format.schema) : { type: 'object' };
	const unchecked = new Set<string>();
	const outcome = extractJson(text, (value) => {
		const check = validateAgainstSchema(schema, value);
		for (const what of check.unchecked)
			unchecked.add(`Not validated against the JSON schema: ${what}`);
		return check.issues;
	});
	if (!('faults' in outcome)) return { ...outcome, unchecked: [...unchecked] };
	return outcome.faults.length === 0 ? { faults: ['not valid JSON'] } : outcome;
}

/**
 * The JSON of an answer, if the format asks for JSON; otherwise undefined.
 *
 * @throws {ServerError} of kind `invalidResponse` with the text in `partialText`
 */
export function getRequestedJson(
	answer: ChatResult,
	format: ResponseFormat | undefined,
): ValidatedJson | undefined {
	const outcome = validateJson(answer.text, format);
	if (outcome === undefined || !('faults' in outcome)) return outcome;
	throw createJsonError(answer, { url: answer.url }, outcome.faults);
}

/** The error for an answer whose JSON was cut off or is wrong. */
function createJsonError(
	{
		text,
		reasoning,
		finishReason,
		usage,
	}: Pick<ChatResult, 'text' | 'reasoning' | 'finishReason' | 'usage'>,
	context: Partial<ErrorContext>,
	faults: readonly string[],
): ServerError {
	const wrong = {
		message: 'The response is not the requested JSON',
		detail: `The response is not the requested JSON: ${faults.join('; ')}`,
		suggestion:
			'Name the fields you want in the prompt, lower the temperature, or choose a larger model or a server that enforces the schema. The details contain the response.',
	};
	const cut = {
		message: 'The JSON was cut off at the token limit',
		detail: 'The token limit was reached before the JSON was complete',
		suggestion: 'Raise Maximum Tokens or the server context, or turn thinking off.',
	};
	return createServerError('invalidResponse', context, {
		...(finishReason === 'length' ? cut : wrong),
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		facts: { faults, finishReason, ...omitUndefined({ usage }) },
	});
}
