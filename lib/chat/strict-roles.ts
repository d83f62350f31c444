/**
 * A conversation in the form that every chat template takes. Templates refuse what n8n's agent and memories produce: a
 * later system message (llama.cpp 20733, vllm 41114), two messages of one role in a row (vllm 6862, litellm 4377), two
 * calls in one message (Llama 3), a user message behind a tool's result, as pictures of a tool are sent (Mistral), and any
 * system message (Gemma).
 */
import type { ErrorType } from '../errors/error-types';
import type { Adaptation } from '../servers/adaptations';
import { asArray, isRecord, type JsonRecord, asRecord, asRecords } from '../values';

/** A message as it is sent, in OpenAI's form or Ollama's. */
type Message = JsonRecord & { role: string };

/** Said in place of an answer between the result of a tool and a user message behind it, which may be its pictures. */
const AFTER_TOOL_RESULT = 'I have read the result.';

const REFUSES_CONVERSATION: ReadonlySet<ErrorType> = new Set(['badRequest', 'templateRejected']);
const REFUSES_SYSTEM =
	/system (?:role|messages?|prompts?) (?:is |are )?(?:not|un)[ -]?(?:supported|allowed)/gi;

const NOTE =
	'The chat template of the model rejected the conversation, so it was sent in a stricter form: system messages merged into user messages, alternating roles, one tool call per message.';

/** A refusal of a conversation that is not yet strict is answered with its strict form, once. */
export const enforceStrictRoles: Adaptation = (refusal, body) => {
	if (!REFUSES_CONVERSATION.has(refusal.type) || body.messages === undefined) return undefined;
	const hasSystem = refusal.matches(REFUSES_SYSTEM).length === 0;
	const apply = (sent: JsonRecord) => strictBody(sent, hasSystem);
	if (apply(body) === body) return undefined;
	return { name: hasSystem ? 'strict' : 'strict, no system', apply, warning: NOTE };
};

/** Returns the body itself where it is strict already. */
function strictBody(body: JsonRecord, hasSystem: boolean): JsonRecord {
	const messages = toStrictRoles(body.messages, hasSystem);
	const isStrict = JSON.stringify(messages) === JSON.stringify(body.messages);
	const strict = isStrict ? body : { ...body, messages };
	return messages.at(-1)?.role === 'assistant' ? withoutThinking(strict) : strict;
}

/** A begun answer cannot be gone on with while thinking is on (llama.cpp 20861). */
function withoutThinking(body: JsonRecord): JsonRecord {
	if ('think' in body) return body.think === false ? body : { ...body, think: false };
	const settings = asRecord(body.chat_template_kwargs);
	if (settings.enable_thinking === false) return body;
	return { ...body, chat_template_kwargs: { ...settings, enable_thinking: false } };
}

/**
 * Only system text goes where system text was, and nothing of a user or a tool moves up, so that the beginning of the
 * prompt stays as it was.
 *
 * @param messages of a body
 * @param hasSystem false where the template takes no system message at all: its text begins the first user message
 */
export function toStrictRoles(messages: unknown, hasSystem = true): JsonRecord[] {
	const given = asRecords(messages).filter(
		(message): message is Message => typeof message.role === 'string',
	);
	return mergeSameRole(
		withoutLaterSystem(given, hasSystem)
			.flatMap(singleCalls(given))
			.flatMap(insertAssistantMessage),
	);
}

/** Later system texts, and the first where none is taken, as the beginning of the user message behind them. */
function withoutLaterSystem(messages: Message[], hasSystem: boolean): Message[] {
	const result: Message[] = [];
	let held: string[] = [];
	for (const [index, message] of messages.entries()) {
		if (message.role === 'system' && !(index === 0 && hasSystem))
			held.push(textOf(message.content));
		else if (held.length === 0) result.push(message);
		else {
			const text = held.join('\n\n');
			held = [];
			if (message.role === 'user')
				result.push({ ...message, content: joinedContent(text, message.content) });
			else result.push({ role: 'user', content: text }, message);
		}
	}
	if (held.length > 0) result.push({ role: 'user', content: held.join('\n\n') });
	return result;
}

/** An assistant message with one call each, and the result behind its call. */
function singleCalls(messages: readonly Message[]): (message: Message) => Message[] {
	const results = new Map(
		messages.filter(({ role }) => role === 'tool').map((result) => [result.tool_call_id, result]),
	);
	const moved = new Set<Message>();
	return (message) => {
		if (moved.has(message)) return [];
		const calls = asArray(message.tool_calls).filter(isRecord);
		if (message.role !== 'assistant' || calls.length < 2) return [message];
		return calls.flatMap((call, index) => {
			const { content, ...others } = message;
			const own = { ...others, content: index === 0 ? content : '', tool_calls: [call] };
			const result = results.get(call.id);
			if (result === undefined) return [own];
			moved.add(result);
			return [own, result];
		});
	};
}

/** An assistant message between the result of a tool and a user message. */
function insertAssistantMessage(message: Message, index: number, messages: Message[]): Message[] {
	const isBehindResult = messages[index - 1]?.role === 'tool';
	if (message.role !== 'user' || !isBehindResult) return [message];
	return [{ role: 'assistant', content: AFTER_TOOL_RESULT }, message];
}

/** Neighbours of one role as one message. Calls and results stay apart. */
function mergeSameRole(messages: readonly Message[]): Message[] {
	const result: Message[] = [];
	for (const message of messages) {
		const last = result.at(-1);
		if (last !== undefined && mayJoin(last, message))
			result[result.length - 1] = {
				...last,
				...message,
				content: joinedContent(last.content, message.content),
			};
		else result.push(message);
	}
	return result;
}

function mayJoin(one: Message, other: Message): boolean {
	if (one.role !== other.role || one.role === 'tool') return false;
	return ![one, other].some(
		({ tool_calls: calls, images }) => calls !== undefined || images !== undefined,
	);
}

function joinedContent(one: unknown, other: unknown): unknown {
	if (typeof one === 'string' && typeof other === 'string')
		return [one, other].filter((text) => text !== '').join('\n\n');
	return [...partsOf(one), ...partsOf(other)];
}

function partsOf(content: unknown): unknown[] {
	if (typeof content !== 'string') return asArray(content);
	return content === '' ? [] : [{ type: 'text', text: content }];
}

function textOf(content: unknown): string {
	if (typeof content === 'string') return content;
	const texts = asRecords(content).map(({ text }) => (typeof text === 'string' ? text : ''));
	return texts.filter((text) => text !== '').join('\n\n');
}
