/** Turns of n8n's agent with several rounds of tool calls, in every form in which a memory may return them. */
import type { InputMessage } from '../../../lib/chat/input-message';
import { toInput } from './messages';

/** The server's ID in an ID of this package. */
export const serverIdIn = (id: string) => id.replace(/^n8n\d{10}_/, '');
export const human = (content: string): InputMessage => toInput({ type: 'human', content });
export const ai = (content: unknown, ...ids: string[]): InputMessage =>
	toInput({
		type: 'ai',
		content,
		toolCalls: ids.map((id) => ({
			id,
			name: 'Calculator',
			args: { input: serverIdIn(id), id },
		})),
	});
export const tool = (toolCallId: string): InputMessage =>
	toInput({ type: 'tool', toolCallId, content: `result of ${serverIdIn(toolCallId)}` });
/** This package's ID of a call: the number of the answer, then the server's ID. */
export const toN8nCallId = (id: string, answer: number) => `n8n${String(answer).repeat(9)}0_${id}`;

/** Text of each round, and the IDs of its calls. */
export const ROUNDS: Array<[text: string, ...ids: string[]]> = [
	['I will calculate both.', toN8nCallId('a', 1), toN8nCallId('b', 1)],
	['One more.', toN8nCallId('c', 2)],
	['And the last.', toN8nCallId('d', 3)],
];

/** Every way in which 3.3 may write the same turn: text as a string or a block, in all or the first of its calls. */
export const SHAPES: Record<string, (text: string, ids: string[]) => InputMessage[]> = {
	'one message with all calls, text as a string': (text, ids) => [
		ai(text, ...ids),
		...ids.map(tool),
	],
	'one message with all calls, text as a block': (text, ids) => [
		ai(
			[
				{ type: 'text', text },
				...ids.map((id) => ({ type: 'tool_use', id, name: 'Calculator', input: {} })),
			],
			...ids,
		),
		...ids.map(tool),
	],
	'one message for each call, text in all of them': (text, ids) =>
		ids.flatMap((id) => [ai(text, id), tool(id)]),
	'one message for each call, text in the first': (text, ids) =>
		ids.flatMap((id, at) => [ai(at === 0 ? text : [], id), tool(id)]),
};
