/**
 * Converts a conversation to a form that every chat template accepts. Some templates reject what n8n's agent and memories
 * produce: a later system message (llama.cpp 20733, vllm 41114), consecutive messages of one role (vllm 6862, litellm
 * 4377), two tool calls in one message (Llama 3), a user message after a tool result, which is how images of a tool are
 * sent (Mistral), and any system message (Gemma).
 */
import type { Adaptation } from '../../exchange/find-changes';
import type { Rejection } from '../../exchange/rejection';
import type { BodyChange } from '../../servers/lessons';
import { mergeAdjacent } from '../content';
import type { JsonRecord } from '../../values/records';
import { asArray, asRecord, asRecords, asString, isUnset } from '../../values/records';

/** Assistant message between a tool result and a user message after it, which may contain images of the tool. */
const AFTER_TOOL_RESULT = 'I have read the result.';

const STRICT_ROLES_WARNING =
	'The chat template of the model rejected the conversation, so it was sent in a stricter form: system messages merged into user messages, alternating roles, one tool call per message.';

/** Sends a rejected conversation again in its strict form, then without any system message. */
export const enforceStrictRoles: Adaptation = (rejection, body) => {
	if (!isConversation(body.messages)) return undefined;
	const forms = mayBeAboutHistory(rejection) ? [STRICT, STRICT_NO_SYSTEM] : [STRICT];
	const isPossible = mayBeAboutHistory(rejection) || hasFailedTwice(rejection);
	return isPossible ? forms.find(({ apply }) => apply(body) !== body) : undefined;
};

/** Whether a rejection may be about the form of the history: templates fail with 400, and name no other field. */
export function mayBeAboutHistory({ status, isOfContext, getSentNames }: Rejection): boolean {
	return status === 400 && !isOfContext && getSentNames().every(isOfMessages);
}

/** In some versions of llama-server, templates fail with 500, as everything may once. */
function hasFailedTwice({ status, isRepeated, getSentNames }: Rejection): boolean {
	return status === 500 && isRepeated && getSentNames().every(isOfMessages);
}

function isOfMessages(name: string): boolean {
	return name === 'messages';
}

const STRICT: BodyChange = {
	name: 'strict',
	apply: (body) => toStrictBody(body, true),
	warning: STRICT_ROLES_WARNING,
};

const STRICT_NO_SYSTEM: BodyChange = {
	name: 'strict, no system',
	apply: (body) => toStrictBody(body, false),
	warning: STRICT_ROLES_WARNING,
};

/** Whether all of it can be in a strict form: Extra Body may contain anything as messages, and nothing of it may be lost. */
function isConversation(messages: unknown): boolean {
	return Array.isArray(messages) && messages.length > 0 && messages.every(isMessage);
}

function isMessage(message: unknown): boolean {
	const { role, content } = asRecord(message);
	const hasContent = typeof content === 'string' || Array.isArray(content) || isUnset(content);
	return typeof role === 'string' && hasContent;
}

/** @returns the same body if it is already strict */
function toStrictBody(body: JsonRecord, hasSystem: boolean) {
	const messages = toStrictRoles(body.messages, hasSystem);
	const isStrict = JSON.stringify(messages) === JSON.stringify(body.messages);
	const strict = isStrict ? body : { ...body, messages };
	return messages.at(-1)?.role === 'assistant' ? withoutThinking(strict) : strict;
}

/** A partial response cannot be continued with thinking enabled (llama.cpp 20861). */
function withoutThinking(body: JsonRecord) {
	if ('think' in body) return body.think === false ? body : { ...body, think: false };
	const settings = asRecord(body.chat_template_kwargs);
	if (settings.enable_thinking === false) return body;
	return { ...body, chat_template_kwargs: { ...settings, enable_thinking: false } };
}

/**
 * Never moves text of a user or a tool to an earlier position, and puts only system text in the system message. So the
 * beginning of the prompt does not change.
 *
 * @param messages of a body
 * @param hasSystem false if the template rejects every system message: the first user message then starts with its text
 */
export function toStrictRoles(messages: unknown, hasSystem = true): JsonRecord[] {
	const validMessages = asRecords(messages).filter(({ role }) => typeof role === 'string');
	return mergeSameRole(
		insertAssistantMessages(splitToolCalls(withoutLaterSystem(validMessages, hasSystem))),
	);
}

/** Moves later system texts, or all of them without a system role, to the start of the next user message. */
function withoutLaterSystem(messages: JsonRecord[], hasSystem: boolean) {
	const result: JsonRecord[] = [];
	let pending = '';
	for (const [index, message] of messages.entries()) {
		if (message.role === 'system' && !(index === 0 && hasSystem)) {
			pending = joinTexts([pending, getContentText(message.content)]);
			continue;
		}
		if (pending) result.push({ role: 'user', content: pending });
		pending = '';
		result.push(message);
	}
	return pending ? [...result, { role: 'user', content: pending }] : result;
}

/** Splits assistant messages with several tool calls. Each result follows its call. */
function splitToolCalls(messages: JsonRecord[]): JsonRecord[] {
	const results = new Map(
		messages.filter(({ role }) => role === 'tool').map((result) => [result.tool_call_id, result]),
	);
	const movedResults = new Set<JsonRecord>();
	return messages.flatMap((message) => {
		if (movedResults.has(message)) return [];
		const calls = asRecords(message.tool_calls);
		if (message.role !== 'assistant' || calls.length < 2) return [message];
		return calls.flatMap((call, index) => {
			const single = { ...message, tool_calls: [call], ...(index === 0 ? {} : { content: '' }) };
			const result = results.get(call.id);
			if (!result) return [single];
			movedResults.add(result);
			return [single, result];
		});
	});
}

/** Adds an assistant message between a tool result and a user message. */
function insertAssistantMessages(messages: JsonRecord[]) {
	return messages.flatMap((message, index) => {
		const followsResult = messages[index - 1]?.role === 'tool';
		if (message.role !== 'user' || !followsResult) return [message];
		return [{ role: 'assistant', content: AFTER_TOOL_RESULT }, message];
	});
}

/** Merges consecutive messages of one role, except tool calls and results. */
function mergeSameRole(messages: JsonRecord[]) {
	return mergeAdjacent(messages, (last, message) => {
		if (!canMerge(last, message)) return undefined;
		const content = joinContents([last.content, message.content]);
		// In Ollama's format, images are next to the text.
		const images = [...asArray(last.images), ...asArray(message.images)];
		return { ...last, ...message, content, ...(images.length > 0 && { images }) };
	});
}

function canMerge(last: JsonRecord, next: JsonRecord) {
	const hasCalls = last.tool_calls !== undefined || next.tool_calls !== undefined;
	return last.role === next.role && last.role !== 'tool' && !hasCalls;
}

function joinContents(contents: readonly unknown[]): unknown {
	const texts = contents.filter((content) => typeof content === 'string');
	return texts.length === contents.length ? joinTexts(texts) : contents.flatMap(toParts);
}

function toParts(content: unknown) {
	if (typeof content !== 'string') return asArray(content);
	return content ? [{ type: 'text', text: content }] : [];
}

function getContentText(content: unknown) {
	if (typeof content === 'string') return content;
	return joinTexts(asRecords(content).map(({ text }) => asString(text) ?? ''));
}

function joinTexts(texts: string[]) {
	return texts.filter((text) => text !== '').join('\n\n');
}
