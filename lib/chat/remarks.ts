/** Notes for the user about a usable answer. */
import { isModelNamed, shortModelName } from '../servers/model-names';
import type { ServerModel } from '../servers/models';
import { onlyModelOf } from '../servers/kinds';
import { hintOnUnread } from '../servers/unread';
import type { Turn } from './draft';
import type { Usable } from './judge';
import { textOf } from './content';
import type { ChatMessage } from './types';

/** The notes on an answer: cut, not read whole, of another model, or with a call that was not run. */
export async function notesOn(
	turn: Turn,
	messages: readonly ChatMessage[],
	answer: Usable,
): Promise<string[]> {
	const { kind, server } = turn;
	const { model } = turn.settings;
	const texts = messages.map(({ content }) => textOf(content));
	const notes = [
		...answer.notes,
		...notesOnEnd(answer),
		noteOnUnrunCall(answer, kind.words.tools),
		noteOnPretendedCall(answer.text),
		...(await hintOnUnread(server, { texts, tokens: answer.usage?.promptTokens, model })),
		kind.remark?.(model),
		noteOnOtherModel(model, answer.model, onlyModelOf(server)),
	];
	return notes.filter((note) => note !== undefined);
}

function notesOnEnd({ finishReason, toolCalls }: Usable): string[] {
	if (finishReason === 'length')
		return [
			'The answer was cut off by the token limit. Raise Maximum Tokens or the context of the server.',
		];
	if (toolCalls.length === 0 && /^(?:tool_calls|function_call)$/.test(finishReason))
		return [
			'The server said that the model called a tool, but sent no call, so no tool was called.',
		];
	if (finishReason !== 'unknown') return [];
	return [
		'The server never said why its answer ended (finish_reason stayed empty), so it may have been cut off.',
	];
}

function noteOnUnrunCall({ unrun }: Usable, advice: string): string | undefined {
	if (unrun === undefined) return undefined;
	return `The answer contains what looks like a call of ${unrun.name}. It was not run, because ${unrun.because}. ${advice}`;
}

/** Models imitate what n8n writes of earlier calls into the memory. */
function noteOnPretendedCall(text: string): string | undefined {
	if (!/^\s*(?:\[Used tools: |Calling \S+ with input: )/.test(text)) return undefined;
	return 'The answer pretends to have used a tool, in the words in which n8n keeps earlier calls. Nothing was called. Start a new conversation, or use a model with better tool support.';
}

/**
 * A server with one model answers with it, whatever name is sent (docs/protocols/llama-server.md 4.3).
 *
 * @param only its one model, where it said so
 */
function noteOnOtherModel(
	requested: string,
	answered: string | undefined,
	only: ServerModel | undefined,
): string | undefined {
	if (answered === undefined || only === undefined || means(answered, requested)) return undefined;
	if (!hasName(only, answered) || hasName(only, requested)) return undefined;
	return `The server does not have the model "${requested}" and answered with "${only.id}", its only one. Choose that in the node, or start the server with the other one.`;
}

function hasName(model: ServerModel, name: string): boolean {
	return isModelNamed(model, name) || [model.id, ...model.aliases].some((id) => means(id, name));
}

/** Whether two names mean one model, written as a path, a file name or a name. */
function means(one: string, other: string): boolean {
	return bareName(one) === bareName(other);
}

function bareName(name: string): string {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	return shortModelName(fileName).trim().toLowerCase();
}
