import { mediaOf, textOf } from '../chat/request/content';
import type { ChatMessage, ContentPart } from '../chat/types';
import { localError } from '../dify/errors/failure';
import { ZERO_WIDTH_SPACE } from '../plain-text';

/** Who stores the conversation: n8n, which sends all of it each time, or Dify. */
export type DifyMemory = 'n8n' | 'dify';

/** A conversation as Dify takes it: as one text. */
export interface DifyPrompt {
	query: string;
	/** The system messages, where they are not part of the query. */
	system: string;
	/** Pictures and sound of the messages that are sent. */
	files: Array<Exclude<ContentPart, { type: 'text' }>>;
}

/**
 * Writes a conversation as one message of the user: no route of Dify takes a system message or a history.
 *
 * @param systemApart whether the system messages go into a variable of the app
 * @throws {ServerError} of kind `emptyQuery` without a message of the user; of kind `inputs` if Dify stores the
 *   conversation and n8n sends earlier answers as well
 */
export function difyPrompt(
	messages: readonly ChatMessage[],
	{ memory, systemApart }: { memory: DifyMemory; systemApart: boolean },
): DifyPrompt {
	const system = messages
		.filter(({ role }) => role === 'system')
		.map(({ content }) => textOf(content, '\n'))
		.filter((text) => text.trim() !== '')
		.join('\n\n');
	const turns = messages.filter(({ role }) => role !== 'system');
	const last = turns.at(-1);
	if (last === undefined)
		throw localError(
			'emptyQuery',
			'The prompt holds no message of a user, so there is nothing to ask',
		);
	if (memory === 'dify') {
		if (turns.some(({ role }) => role !== 'user'))
			throw localError(
				'inputs',
				'The prompt holds earlier answers, but Dify is set to remember the conversation: it would get them twice',
				'Disconnect the memory node, or set Memory of the Dify Chat Model to In the Workflow.',
			);
		return { query: textOf(last.content, '\n'), system, files: mediaOf(last.content) };
	}
	const history = turns.slice(0, -1).flatMap(linesOf);
	const question = textOf(last.content, '\n');
	const before = [systemApart ? '' : withoutTurns(system), history.join('\n')].filter(
		(part) => part !== '',
	);
	const currentQuestion = before.length === 0 ? question : withoutTurns(question);
	return {
		query: [...before, currentQuestion].filter((part) => part !== '').join('\n\n'),
		system: systemApart ? system : '',
		files: turns.flatMap(({ content }) => mediaOf(content)),
	};
}

const LABELS: Record<ChatMessage['role'], string> = {
	system: 'System',
	user: 'User',
	assistant: 'Assistant',
	tool: 'Result of a tool',
};

/**
 * What begins a turn in the history, behind any sign that Unicode calls the end of a line. In the text of a message an
 * invisible character keeps it from beginning one.
 */
const TURN =
	/(?<=(?:^|[\v\f\u0085])[^\S\n]{0,20})(?:System|User|Assistant|Result of a tool|Call of the tool [^\n:：]{0,100})(?=[^\S\n]{0,20}[:：])/gimu;

function withoutTurns(text: string): string {
	return text.replace(TURN, (label) => `${label[0]}${ZERO_WIDTH_SPACE}${label.slice(1)}`);
}

/** A message as lines of text, with its tool calls: without them, the tool results would make no sense. */
function linesOf(message: ChatMessage): string[] {
	const text = withoutTurns(textOf(message.content, '\n'));
	const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
	return [
		...(text === '' && calls.length > 0 ? [] : [`${LABELS[message.role]}: ${text}`]),
		...calls.map(({ name, arguments: args }) => `Call of the tool ${name}: ${withoutTurns(args)}`),
	];
}
