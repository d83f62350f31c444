/** Parses the chunks of a streamed completion, in the forms of many servers. */
import { isErrorBody } from '../../errors/error-body';
import type { ErrorType } from '../../errors/error-types';
import { parseLiteral } from '../../text/literals';
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString, asRecord, asRecords, isNonEmpty, isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { parseExactJson } from '../../values/exact-json';
import type { CompletionFailure } from '../types';

/** An event as a record. A gateway sends errors as a list (Google's, 2026). */
export function parseEvent(data: string): JsonRecord | undefined {
	const parsed = parseJson(data);
	// Only tool call arguments contain numbers whose digits matter.
	if (isRecord(parsed) && !data.includes('"tool_calls"')) return parsed;
	// Python also writes `NaN`.
	const json = parsed === undefined ? (parseLiteral(data) ?? '') : data;
	return asRecords([parseExactJson(json, parsed).value].flat())[0];
}

/** The names of the token limit in other APIs; some servers send an object. */
export function parseFinishReason(value: unknown): string | undefined {
	const reason = asNonEmptyString(value) ?? asNonEmptyString(asRecord(value).type);
	return reason?.replace(/^(?:max_(?:output_)?tokens|model_length|length)$/i, 'length');
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
	const errorBody = JSON.stringify({ ...event, choices: undefined });
	return { errorType: 'streamError', errorBody };
}

/** The part of a choice with its output. */
export function extractMessage(choice: JsonRecord): JsonRecord {
	const { delta, message } = choice;
	if (typeof delta === 'string') return { content: delta };
	if (isRecord(delta) && isNonEmpty(delta)) return delta;
	return isRecord(message) && isNonEmpty(message) ? message : choice;
}

/** llama-server and vLLM; newer vLLM and Ollama; Ollama's own API; gateways; OpenRouter's form. */
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
		const text = message[name] === undefined ? '' : joinText(message[name]);
		if (text !== '') return text;
	}
	if (!Array.isArray(message.content)) return '';
	return asRecords(message.content).filter(isReasoningPart).map(joinText).join('');
}

function isReasoningPart({ type }: JsonRecord) {
	return type === 'thinking' || type === 'reasoning';
}

/** A text as servers send it: as a string or a number, in parts, or in an object. Parts with thinking are no text. */
export function joinText(value: unknown): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value))
		return value.map((part) => (isReasoningPart(asRecord(part)) ? '' : joinText(part))).join('');
	if (isRecord(value))
		return joinText(value.text ?? value.thinking ?? value.content ?? value.value);
	return typeof value === 'number' ? String(value) : '';
}
