/** Parses the chunks of a streamed completion, in the forms of many servers. */
import { isErrorBody } from '../../errors/error-body';
import type { ErrorType } from '../../errors/error-types';
import { parseLiteral } from '../../text/literals';
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString, asRecord, asRecords, isNonEmpty, isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { parseExactJson } from '../../values/exact-json';
import type { CompletionFailure } from '../completion';
import { getOwn } from '../../values/own-properties';

/** An event as a record. A gateway sends errors as a list (Google's, 2026). */
export function parseEvent(data: string): JsonRecord | undefined {
	const parsed = parseJson(data);
	// Only tool call arguments contain numbers whose digits matter.
	if (isRecord(parsed) && !data.includes('"tool_calls"')) return parsed;
	// Python also writes `NaN`.
	const json = parsed === undefined ? (parseLiteral(data) ?? '') : data;
	return asRecords([parseExactJson(json, parsed).value].flat())[0];
}

/** Whether JSON is a part of a completion, of OpenAI's API or Ollama's: a log or a ping is none. */
export function isCompletionObject({ choices, message, response, done }: JsonRecord): boolean {
	const hasOutput = isRecord(message) || typeof response === 'string';
	return Array.isArray(choices) || (typeof done === 'boolean' && hasOutput);
}

/**
 * A reason that names tokens, a length or the context, and nothing but their limit: `max_tokens`, `MAX_TOKENS`,
 * `max_output_tokens` (OpenAI's Responses), `model_length`, `model_context_window_exceeded` (gateways),
 * `contextLengthReached` and `maxPredictedTokensReached` (LM Studio).
 */
const TOKEN_LIMIT =
	/^(?=.*(?:tokens?|length|context))(?:max|model|output|completion|new|predicted|tokens?|length|context|window|limit|exceeded|reached|[-_ ])+$/i;

/** The finish reason, where the token limit is always `length`; some servers send an object. */
export function parseFinishReason(value: unknown): string | undefined {
	const reason = asNonEmptyString(value) ?? asNonEmptyString(asRecord(value).type);
	return reason !== undefined && TOKEN_LIMIT.test(reason) ? 'length' : reason;
}

/** Finish reasons that mean an error. */
const FAILED_FINISH_REASONS: ReadonlyArray<{ errorType: ErrorType; pattern: RegExp }> = [
	{ errorType: 'contentFiltered', pattern: /^(?:content_filter(?:ed)?|safety)$/i },
	// vLLM, with `repetition_detection` (seen: 0.32.0).
	{ errorType: 'runawayOutput', pattern: /^repetition/i },
	{ errorType: 'streamError', pattern: /abort|error|timeout|cancel|interrupt|insufficient/i },
];

/** A failure that the server reports as a finish reason. */
export function findFinishFailure(finishReason: string): CompletionFailure | undefined {
	const failed = FAILED_FINISH_REASONS.find(({ pattern }) => pattern.test(finishReason));
	return failed && { errorType: failed.errorType, serverText: `finish_reason: ${finishReason}` };
}

/** The failure that an event reports. */
export function findEventFailure(event: JsonRecord): CompletionFailure | undefined {
	if (!isErrorBody(event)) return undefined;
	return { errorEvent: JSON.stringify({ ...event, choices: undefined }) };
}

/**
 * The part of a choice with its output: the first one that holds something. Perplexity sends the text so far as `message`
 * beside each `delta`, which may be empty.
 *
 * @param received - The text of the events before
 */
export function extractMessage(choice: JsonRecord, received = ''): JsonRecord {
	const { delta, message } = choice;
	if (typeof delta === 'string') return { content: delta };
	const whole = isRecord(message) && isNonEmpty(message) ? message : undefined;
	if (!isRecord(delta) || !isNonEmpty(delta)) return whole ?? choice;
	if (whole === undefined || hasOutput(delta)) return delta;
	const text = flattenText(whole.content);
	if (received === '') return whole;
	return text.startsWith(received) ? { ...delta, content: text.slice(received.length) } : delta;
}

function hasOutput(message: JsonRecord): boolean {
	const { content, text, refusal, tool_calls: calls, function_call: call } = message;
	const fields: readonly unknown[] = [content, text, refusal, calls, call];
	return fields.some(isNonEmpty) || extractReasoning(message) !== '';
}

/** Keys of a part of a message. */
const PART_KEYS: ReadonlySet<string> = new Set(['type', 'text', 'annotations', 'index', 'id']);

/**
 * The text of a message's content. Some gateways send JSON as an object or a list in place of its text.
 *
 * @param isJson - Whether JSON was requested. Then a list without any part is JSON, otherwise only one of untyped objects.
 */
export function toContentText(content: unknown, isJson = false): string {
	if (Array.isArray(content) && !content.some(isPart) && (isJson || isList(content)))
		return JSON.stringify(content);
	if (!isRecord(content) || isPart(content)) return flattenText(content);
	return isNonEmpty(content) ? JSON.stringify(content) : '';
}

/** Whether all elements are objects with something in them, of which none says that it is a part of some type. */
function isList(content: readonly unknown[]): boolean {
	const isElement = (value: unknown) =>
		isRecord(value) && isNonEmpty(value) && value.type === undefined;
	return content.length > 0 && content.every(isElement);
}

function isPart(value: unknown): boolean {
	if (typeof value === 'string') return true;
	if (!isRecord(value)) return false;
	const hasText = typeof value.text === 'string' || typeof value.thinking === 'string';
	return typeof value.type === 'string'
		? hasText || isReasoningPart(value)
		: hasText && Object.keys(value).every((key) => PART_KEYS.has(key));
}

/** llama-server and vLLM; newer vLLM and Ollama; Ollama's own API; gateways, in two forms. */
const REASONING_FIELDS = [
	'reasoning_content',
	'reasoning',
	'thinking',
	'reasoning_text',
	'reasoning_details',
];

/** The thinking of a message; empty without any. */
export function extractReasoning(message: JsonRecord): string {
	for (const name of REASONING_FIELDS) {
		const text = getOwn(message, name) === undefined ? '' : flattenText(getOwn(message, name));
		if (text !== '') return text;
	}
	if (!Array.isArray(message.content)) return '';
	return asRecords(message.content).filter(isReasoningPart).map(flattenText).join('');
}

function isReasoningPart({ type }: JsonRecord) {
	return type === 'thinking' || type === 'reasoning';
}

/** A text as servers send it: as a string or a number, in parts, or in an object. Parts with thinking are no text. */
export function flattenText(value: unknown): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value))
		return value.map((part) => (isReasoningPart(asRecord(part)) ? '' : flattenText(part))).join('');
	if (isRecord(value))
		return flattenText(value.text ?? value.thinking ?? value.content ?? value.value);
	return typeof value === 'number' ? String(value) : '';
}
