/** Limits the texts of a conversation: the result of a tool is cut, other texts that are too long are errors. */
import { createInputError } from '../../errors/create-error';
import {
	assertTextLength,
	cutText,
	describeExcess,
	findLengthProblem,
} from '../../errors/text-limits';
import { TASK_LIMITS } from '../../task-limits';
import { asRecord, asString } from '../../values/records';
import type { ChatMessage } from '../chat-message';
import { isResult } from '../chat-message';
import { getText } from '../content';
import type { InputMessage } from '../input-message';

/** What errors call a message. */
const SUBJECTS: Readonly<Record<Exclude<InputMessage['type'], 'tool'>, string>> = {
	system: 'The system message',
	human: 'A message of the user',
	ai: 'A message of the assistant',
};

/**
 * Checks messages before they are read. Files and results of tools may contain images, so that only what is read of them has a
 * limit.
 *
 * @throws {ServerError} of type `invalidInput` for a text that is too long
 */
export function assertShortTexts(source: readonly InputMessage[]): void {
	for (const { type, content } of source)
		if (type !== 'tool')
			for (const { block } of content)
				assertTextLength(asString(block) ?? asString(asRecord(block).text) ?? '', SUBJECTS[type]);
}

/** Messages whose results of tools are short enough. */
interface CutMessages {
	messages: ChatMessage[];
	/** About each result that was cut. */
	warnings: ReadonlyMap<ChatMessage, string>;
}

/** Cuts the results of tools, with a note for the model. */
export function cutResults(all: readonly ChatMessage[]): CutMessages {
	const warnings = new Map<ChatMessage, string>();
	const messages = all.map((message) => {
		if (message.role !== 'tool' || !isResult(message)) return message;
		const problem = findLengthProblem(message.content);
		if (problem === undefined) return message;
		const content = `${cutText(message.content)}\n[Cut: the result ${problem}]`;
		const cut: ChatMessage = { ...message, content };
		warnings.set(
			cut,
			`The result of the tool "${message.name}" ${problem}. The model got its beginning.`,
		);
		return cut;
	});
	return { messages, warnings };
}

/** @throws {ServerError} of type `invalidInput` for messages that are too long together */
export function assertShortConversation(messages: readonly ChatMessage[]): void {
	const bytes = messages.reduce((sum, message) => sum + countBytes(message), 0);
	const excess = describeExcess(bytes, TASK_LIMITS.chat.sentBytes);
	if (excess !== undefined) throw createInputError(`The conversation ${excess}`, SUGGESTION);
}

const SUGGESTION =
	'Keep fewer messages in memory, set History Budget in Local Chat Model, or pass less text.';

function countBytes(message: ChatMessage): number {
	const text = getText(message.content, '\n');
	if (message.role !== 'assistant') return Buffer.byteLength(text);
	const calls = (message.toolCalls ?? []).map((call) => call.arguments);
	return Buffer.byteLength([text, message.reasoning ?? '', ...calls].join(''));
}
