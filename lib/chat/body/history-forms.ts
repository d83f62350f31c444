/**
 * Forms of a conversation that a server has not refused. Chat templates and gateways differ in what they accept of the
 * thinking of earlier messages, and some servers stream no answer that may contain calls.
 */
import type { Adaptation } from '../../exchange/find-changes';
import type { BodyChange } from '../../servers/lessons';
import type { JsonRecord } from '../../values/records';
import { asRecords, asString, isNonEmpty, isRecord } from '../../values/records';
import { toolCallCache } from '../tools/tool-call-cache';
import { mayBeAboutHistory } from './strict-roles';

/** Fields of a message with its thinking: llama-server and vLLM; newer vLLM; Ollama. */
const THINKING_FIELDS = ['reasoning_content', 'reasoning', 'thinking'] as const;

/** The next form of the thinking in a rejected conversation. */
export const adjustThinkingInHistory: Adaptation = (rejection, body) =>
	HISTORY_STATUSES.includes(rejection.status) &&
	(rejection.says('thinking') || THINKING_FIELDS.some((name) => rejection.names(name)))
		? [WITHOUT_THINKING, WITH_THINKING].find(({ apply }) => apply(body) !== body)
		: undefined;

/** A server that does not stream responses with tools (an older llama-server, and gateways before it). */
export const omitStreamWithTools: Adaptation = (rejection, body) => {
	const isPossible = withoutStream(body) !== body;
	if (!isPossible || !rejection.says('tools', 'stream')) return undefined;
	return { name: 'without streaming', apply: withoutStream };
};

/** A template that has no text beside calls (Ministral in LM Studio): the text of these messages is omitted. */
export const omitTextBesideCalls: Adaptation = (rejection, body) => {
	const isPossible = mayBeAboutHistory(rejection) && WITHOUT_TEXT.apply(body) !== body;
	return isPossible ? WITHOUT_TEXT : undefined;
};

/** With which servers reject a history. */
const HISTORY_STATUSES: readonly number[] = [400, 422, 500];

const WITHOUT_TEXT: BodyChange = {
	name: 'without the text beside calls',
	warning:
		'The server rejected the conversation, so it was sent without the text that the model wrote beside its earlier tool calls.',
	apply: (body) =>
		changeMessages(body, (message) => {
			const hasCalls = isNonEmpty(message.tool_calls);
			return hasCalls && isNonEmpty(message.content) ? { ...message, content: '' } : message;
		}),
};

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

/** Only with tools: what the server refused says nothing about requests without them. */
function withoutStream(body: JsonRecord): JsonRecord {
	if (body.stream !== true || !isNonEmpty(body.tools)) return body;
	const fields = Object.entries(body).filter(([name]) => name !== 'stream_options');
	return { ...Object.fromEntries(fields), stream: false };
}
