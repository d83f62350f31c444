/** Whether an answer is usable, and what the model is asked next where it is not. */
import { failure, type ErrorContext } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { contextOf } from '../http/request-errors';
import { optional } from '../values';
import { withAdvice } from './suggestions';
import type { Completion } from './completion-accumulator';
import { failureOf, isHeldBack, type CompletionAttempt } from './request-completion';
import { cleanedFormat, type TurnContext } from './completion-request';
import type { CompletionRequest } from './openai-body';
import { ownToolCallIds, type RawToolCall } from './tool-calls';
import {
	checkedCalls,
	correctionOf,
	correctionOfFormat,
	type ToolCallIssue,
	shownName,
	shownNames,
} from './correction';
import { formatCallIn } from './format-tool';
import type { ChatResult, ResponseFormat, ToolDefinition } from './types';
import { keptAsText } from '../json';
import { fittingJson, type ExtractedJson } from './extract-json';
import { checkSchema } from './validate-json';

/** What a usable answer says. */
export interface AcceptedCompletion extends Completion {
	/** Notes for the user. */
	notes: string[];
}

export interface ValidationResult {
	/** What is asked in its place; undefined for a good answer. */
	next?: CompletionRequest;
	/**
	 * The answer, if nothing more is asked.
	 *
	 * @throws {ServerError} where it is not usable at all
	 */
	usable(): AcceptedCompletion | Promise<AcceptedCompletion>;
}

/** Judges what was read as the answer to a body. */
export function judge(
	turn: TurnContext,
	read: CompletionAttempt,
	body: CompletionRequest,
): ValidationResult {
	const { outcome } = read;
	const { toolCalls: calls = [], text } = outcome;
	if (calls.length > 0 || 'kind' in outcome) return judgeCalls(turn, read, body, calls);
	const written = writtenCall(turn, text, body.tools);
	if (written !== undefined) return good(read, outcome, { text: '', toolCalls: [written] });
	return judgeText(turn, read, body, outcome);
}

/** A call of n8n's output parser, where nobody saw the text. */
function writtenCall(
	turn: TurnContext,
	text: string,
	tools: readonly ToolDefinition[],
): RawToolCall | undefined {
	return isHeldBack(turn) ? formatCallIn(text, tools) : undefined;
}

function good(
	read: CompletionAttempt,
	answer: Completion,
	changes: Partial<AcceptedCompletion> = {},
): ValidationResult {
	const usable = { ...answer, ...changes, notes: [...read.notes, ...(changes.notes ?? [])] };
	return { usable: () => usable };
}

function judgeCalls(
	turn: TurnContext,
	read: CompletionAttempt,
	body: CompletionRequest,
	toolCalls: readonly RawToolCall[],
): ValidationResult {
	const { outcome } = read;
	const { call, names } = turn;
	const further = (call.furtherTools ?? []).map((tool) => ({
		...tool,
		name: names.sent(tool.name),
	}));
	const tools = [...body.tools, ...further];
	const isFromText = 'hadCallsInText' in outcome;
	const { calls, faults } =
		tools.length === 0
			? { calls: [...toolCalls], faults: [] }
			: checkedCalls(toolCalls, tools, isFromText);
	const whole = 'kind' in outcome ? undefined : outcome;
	if (faults.length === 0 && whole !== undefined) return good(read, whole, { toolCalls: calls });
	const fail = () => {
		throw failureOfCalls(turn, read, faults, tools);
	};
	// Without tools there is nothing to correct a call by.
	if (faults.length === 0) return { usable: fail };
	const ids = ownToolCallIds(toolCalls.map(() => undefined));
	const correction = correctionOf(outcome.text, toolCalls, faults, tools, (index) => ids[index]!);
	return {
		next: { ...body, messages: [...body.messages, ...correction] },
		usable: () => {
			if (whole === undefined || calls.length === 0) return fail();
			return { ...whole, toolCalls: calls, notes: [...read.notes, ...notesOnFaults(faults)] };
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

function failureOfCalls(
	turn: TurnContext,
	{ outcome, url }: CompletionAttempt,
	faults: readonly ToolCallIssue[],
	tools: readonly ToolDefinition[],
): ServerError {
	const unknown = faults.find(({ kind }) => kind === 'unknownTool');
	if (unknown === undefined && 'kind' in outcome)
		return failureOf(outcome, { url, headers: {} }, turn);
	const { server, settings } = turn;
	const fault = unknown ?? faults[0]!;
	const named = [fault, ...faults.filter(({ kind }) => kind !== 'brokenArguments')];
	const sentences = [...new Set(named.slice(0, MAX_NOTES).map(wordsOn))];
	const offeredTools = tools.map(({ name }) => name);
	if (unknown !== undefined) sentences.push(`Connected tools: ${offeredTools.join(', ')}`);
	return failure('toolCallInvalid', contextOf(server, url, settings.model), {
		message: sentences.join('. '),
		remedy: unknown === undefined ? ARGUMENTS_LOST : TOOL_UNKNOWN,
		...optional({
			partialText: outcome.text || undefined,
			partialReasoning: outcome.reasoning || undefined,
		}),
		facts: unknown === undefined ? { missingArguments: fault.missing } : { offeredTools },
		about: { tool: shownName(fault.call.name) },
	});
}

const TOOL_UNKNOWN =
	'Name the tools in the system prompt, connect the missing tool, or use a model with better tool support.';
const ARGUMENTS_LOST =
	'Some servers lose the arguments of a call: try an update, another tool call parser, or a model with better tool support.';

function judgeText(
	turn: TurnContext,
	read: CompletionAttempt,
	body: CompletionRequest,
	answer: Completion,
): ValidationResult {
	const outcome = checkedJson(answer.text, turn.settings.parameters.responseFormat);
	if (outcome === undefined) return good(read, answer);
	if (!('faults' in outcome)) {
		const isBare = answer.text.trim() === outcome.json;
		const text = isBare ? answer.text : outcome.json;
		return good(read, answer, { text, notes: outcome.unchecked });
	}
	const { faults } = outcome;
	const isCut = answer.finishReason === 'length';
	return {
		...(isCut ? {} : { next: nextForJson(turn, body, answer, faults) }),
		usable: async () => {
			const failed = jsonError(answer, contextOf(turn.server, read.url, body.model), faults);
			throw await withAdvice(failed, turn, body);
		},
	};
}

/** With the format, if the first try went without it; else with what was wrong. */
function nextForJson(
	{ settings, kind }: TurnContext,
	body: CompletionRequest,
	answer: Completion,
	faults: readonly string[],
): CompletionRequest {
	const { responseFormat } = settings.parameters;
	if (body.parameters.responseFormat === undefined) {
		const parameters = { ...body.parameters, ...optional({ responseFormat }) };
		return { ...body, parameters: cleanedFormat(parameters, kind) };
	}
	const correction = correctionOfFormat(answer.text, faults.join('; '));
	return { ...body, messages: [...body.messages, ...correction] };
}

/** JSON that follows its schema, as far as that could be checked. */
interface ValidatedJson extends ExtractedJson {
	/** What could not be checked, in sentences. */
	unchecked: string[];
}

/** Notes for the user about the value of an answer. */
export function jsonNotes({ unchecked, large }: ValidatedJson): string[] {
	return [...unchecked, ...keptAsText(large)];
}

/**
 * The JSON of a text, if the format asks for JSON; otherwise undefined. Checked here, since a server may ignore the
 * format or not enforce the schema.
 *
 * @returns the JSON, or the faults of what was found
 */
function checkedJson(
	text: string,
	format: ResponseFormat | undefined,
): ValidatedJson | { faults: string[] } | undefined {
	if (format?.type !== 'jsonObject' && format?.type !== 'jsonSchema') return undefined;
	const schema =
		format.type === 'jsonSchema' ? (format.least ?? format.schema) : { type: 'object' };
	const unchecked = new Set<string>();
	const outcome = fittingJson(text, (value) => {
		const check = checkSchema(schema, value);
		for (const what of check.unchecked)
			unchecked.add(`Not validated against the JSON schema: ${what}`);
		return check.faults;
	});
	if (!('faults' in outcome)) return { ...outcome, unchecked: [...unchecked] };
	return outcome.faults.length === 0 ? { faults: ['not valid JSON'] } : outcome;
}

/**
 * The JSON of an answer, if the format asks for JSON; otherwise undefined.
 *
 * @throws {ServerError} of kind `invalidAnswer` with the text in `partialText`
 */
export function requestedJson(
	answer: ChatResult,
	format: ResponseFormat | undefined,
): ValidatedJson | undefined {
	const outcome = checkedJson(answer.text, format);
	if (outcome === undefined || !('faults' in outcome)) return outcome;
	throw jsonError(answer, { url: answer.url }, outcome.faults);
}

/** The error for an answer whose JSON was cut off or is wrong. */
function jsonError(
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
		meaning: `The response is not the requested JSON: ${faults.join('; ')}`,
		remedy:
			'Name the fields you want in the prompt, lower the temperature, or choose a larger model or a server that enforces the schema. The details contain the response.',
	};
	const cut = {
		message: 'The JSON was cut off at the token limit',
		meaning: 'The token limit was reached before the JSON was complete',
		remedy: 'Raise Maximum Tokens or the server context, or turn thinking off.',
	};
	return failure('invalidAnswer', context, {
		...(finishReason === 'length' ? cut : wrong),
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		facts: { faults, finishReason, ...optional({ usage }) },
	});
}
