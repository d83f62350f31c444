/** The prompt of a conversation after the chat template, and its number of tokens. */
import type { Connection } from '../http/connection';
import { asFailed } from '../errors/server-error';
import type { ModelQuestion } from '../servers/kinds/work';
import { abilityFor } from '../servers/manage/ability';
import { kindFor } from '../servers/purpose';
import { exactOrEstimated, type TokenCount, tokenize } from '../servers/manage/tokens';
import { type JsonRecord, optional, recordOf, text } from '../values';
import { convertMessages } from './request/messages';
import type { SourceMessage } from './types';
import { openAiProtocol } from './wire/openai';
import type { KindName } from '../servers/kinds';

export interface Conversation {
	messages: readonly SourceMessage[];
	/** In OpenAI's form. */
	tools?: readonly unknown[];
	/** Arguments for the chat template. */
	templateArguments?: JsonRecord;
}

/** Roughly what a template adds to each message. */
const AROUND_MESSAGE = '<|im_start|>user<|im_end|>';

/**
 * The number of prompt tokens of a conversation; an estimate if the server has no route for it.
 *
 * @throws {ServerError}
 */
export async function countPrompt(
	connection: Connection,
	conversation: Conversation,
	ask: ModelQuestion,
): Promise<TokenCount> {
	const kind = await kindFor(connection, ask.model, ask.signal);
	const body = wireBody(conversation, kind);
	return await exactOrEstimated(wordsOf(body), async () => {
		const what = 'route that counts the tokens of a conversation';
		const count = await abilityFor(connection, ask, what, ({ tokens }) => tokens?.countPrompt);
		const counted = await count(connection, body, ask).catch(asFailed);
		if (typeof counted !== 'object') return counted ?? unreadable(connection);
		if (counted.failed.kind !== 'notSupported') throw counted.failed;
		// llama-server before that route, and ik_llama.cpp
		const prompt = await applyTemplate(connection, conversation, ask);
		const how = { addSpecial: true, parseSpecial: true, withPieces: false };
		return (await tokenize(connection, prompt, { ...ask, ...how })).tokens.length;
	});
}

/**
 * The prompt that the model's chat template makes from a conversation.
 *
 * @throws {ServerError} also if the server has no route for it
 */
export async function applyTemplate(
	connection: Connection,
	conversation: Conversation,
	ask: ModelQuestion,
): Promise<string> {
	const what = 'route that applies a chat template';
	const apply = await abilityFor(connection, ask, what, ({ tokens }) => tokens?.applyTemplate);
	const body = wireBody(conversation, await kindFor(connection, ask.model, ask.signal));
	return (await apply(connection, body, ask)) ?? unreadable(connection);
}

/** The fields of a chat request that determine its prompt. */
function wireBody({ messages, tools = [], templateArguments }: Conversation, kind: KindName) {
	const { messages: wireMessages } = openAiProtocol.body({
		model: '',
		messages: convertMessages(messages, { reasoning: 'always' }),
		parameters: {},
		serverKind: kind,
	});
	return {
		messages: wireMessages as Array<{ content: unknown; tool_calls?: unknown }>,
		...optional({
			tools: tools.length === 0 ? undefined : tools,
			chat_template_kwargs: templateArguments,
		}),
	};
}

/** Roughly the text of the prompt, for an estimate. Tokens of pictures are unknown, and left out. */
function wordsOf({ messages, tools }: ReturnType<typeof wireBody>): string {
	const texts = messages.flatMap(({ content, tool_calls: calls }) => [
		AROUND_MESSAGE,
		...textsOf(content),
		...jsonOf(calls),
	]);
	return [...texts, ...jsonOf(tools)].join('\n');
}

function textsOf(content: unknown): string[] {
	if (!Array.isArray(content)) return [String(content)];
	return content.map((part) => text(recordOf(part).text) ?? '');
}

function jsonOf(value: unknown): string[] {
	return value === undefined ? [] : [JSON.stringify(value)];
}

/** @throws {ServerError} */
function unreadable(connection: Connection): never {
	throw connection.failure('invalidAnswer', {
		url: connection.url.root,
		message: 'The answer of the server holds neither a prompt nor a number of tokens',
		remedy: 'Check that the Base URL leads to a model server.',
	});
}
