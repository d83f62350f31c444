/**
 * Forms of a conversation that a server has not refused. Chat templates and gateways differ in what they accept of the
 * thinking of earlier messages, and some servers stream no answer that may contain calls.
 */
import type { Adaptation } from '../../exchange/find-change';
import type { Rejection } from '../../exchange/rejection';
import type { JsonRecord } from '../../values/records';
import { asRecords, asString, isNonEmpty, isRecord } from '../../values/records';
import { toolCallCache } from '../tools/tool-call-cache';

/** Fields of a message with its thinking: llama-server and vLLM; newer vLLM; Ollama. */
const THINKING_FIELDS = ['reasoning_content', 'reasoning', 'thinking'] as const;

/** DeepSeek's API, and gateways before it, require what they sent. */
const REQUIRES_THINKING =
	/\b(?:reasoning|thinking)\w*\b.{0,60}\b(?:must be|should be|is required|required|missing|has to be|needs to be|expected)\b/gis;

const MENTIONS_THINKING = /\b(?:reasoning|thinking)/gi;

/** `Cannot use tools with stream` (an older llama-server and gateways before it). */
const REFUSES_STREAM =
	/\btools?\b.{0,40}\bstream(?:ing|ed)?\b|\bstream(?:ing|ed)?\b.{0,40}\btools?\b/gis;

/** The next form of the thinking in a rejected conversation: the one that the message asks for first, then the other. */
export const adjustThinkingInHistory: Adaptation = (rejection, body) => {
	if (!isAboutMessages(rejection) || rejection.matches(MENTIONS_THINKING).length === 0)
		return undefined;
	const isRequired = rejection.matches(REQUIRES_THINKING).length > 0;
	const forms = isRequired ? [WITH_THINKING, WITHOUT_THINKING] : [WITHOUT_THINKING, WITH_THINKING];
	return forms.find(({ apply }) => apply(body) !== body);
};

/** A server that does not stream responses with tools. */
export const omitStreamWithTools: Adaptation = (rejection, body) => {
	const isPossible = body.stream === true && isNonEmpty(body.tools);
	if (!isPossible || rejection.matches(REFUSES_STREAM).length === 0) return undefined;
	return { name: 'without streaming', apply: withoutStream };
};

function isAboutMessages({ type }: Rejection): boolean {
	return type === 'badRequest' || type === 'templateRejected' || type === 'serverError';
}

const WITHOUT_THINKING = {
	name: 'without the thinking of earlier messages',
	apply: (body: JsonRecord): JsonRecord =>
		changeMessages(body, (message) =>
			THINKING_FIELDS.some((field) => field in message) ? withoutThinking(message) : message,
		),
};

const WITH_THINKING = {
	name: 'with the thinking of every message with calls',
	apply: (body: JsonRecord): JsonRecord =>
		changeMessages(body, (message) => {
			const calls = asRecords(message.tool_calls);
			const hasThinking = THINKING_FIELDS.some((field) => typeof message[field] === 'string');
			if (message.role !== 'assistant' || calls.length === 0 || hasThinking) return message;
			return { ...message, reasoning_content: findThinking(calls) };
		}),
};

/** What the model thought before its calls, if it is still known. */
function findThinking(calls: readonly JsonRecord[]): string {
	const thoughts = calls.map(({ id }) => toolCallCache.get(asString(id) ?? '')?.reasoning ?? '');
	return thoughts.find((text) => text !== '') ?? '';
}

function withoutThinking(message: JsonRecord): JsonRecord {
	const fields: readonly string[] = THINKING_FIELDS;
	return Object.fromEntries(Object.entries(message).filter(([name]) => !fields.includes(name)));
}

/** @returns the same body if no message changes */
function changeMessages(body: JsonRecord, change: (message: JsonRecord) => JsonRecord): JsonRecord {
	if (!Array.isArray(body.messages)) return body;
	const messages = body.messages.map((message: unknown) =>
		isRecord(message) ? change(message) : message,
	);
	const isChanged = messages.some(
		(message, index) => message !== (body.messages as unknown[])[index],
	);
	return isChanged ? { ...body, messages } : body;
}

function withoutStream(body: JsonRecord): JsonRecord {
	if (body.stream !== true) return body;
	const fields = Object.entries(body).filter(([name]) => name !== 'stream_options');
	return { ...Object.fromEntries(fields), stream: false };
}
