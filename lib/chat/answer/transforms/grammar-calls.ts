import { parseJson } from '../../../json';
import { nonEmptyText, recordOf } from '../../../values';
import type { ToolCallPiece } from '../../types';
import type { Chunk, Transform } from '../chunk';

/** How the grammar begins each call. */
const BEGINNING = '{"arguments":';
/** With the spaces that it allows. */
const MAX_BEGINNING = 32;
/** The tool that the grammar offers beside the others, for an answer without a call. */
const ANSWER = 'answer';

/**
 * LocalAI can hold a model to calls by a grammar of its own. It then streams each call as text before it sends it, and
 * a plain answer as a call of its tool `answer` (core/http/endpoints/openai/chat.go).
 */
export function grammarCalls(tools: readonly string[]): Transform | undefined {
	if (tools.length === 0) return undefined;
	/** Text that may be a call; undefined once it is none. */
	let held: string | undefined = '';
	let isCall = false;
	let hasCalls = false;
	let isAnswered = false;
	const shown = (text: string): string => {
		if (held === undefined) return text;
		held += text;
		if (isCall) return '';
		const start = held.replaceAll(/\s+/g, '');
		isCall = start.startsWith(BEGINNING);
		if (isCall || (held.length < MAX_BEGINNING && BEGINNING.startsWith(start))) return '';
		const all = held;
		held = undefined;
		return all;
	};
	const isOwn = ({ name, arguments: args }: ToolCallPiece) =>
		name === ANSWER && !tools.includes(ANSWER) && messageIn(args) !== undefined;
	const called = (chunk: Chunk, toolCalls: ToolCallPiece[]): Chunk => {
		hasCalls = true;
		const own = toolCalls.filter(isOwn);
		if (own.length === 0) return chunk;
		isAnswered = true;
		const text = own.map(({ arguments: args }) => messageIn(args)).join('\n');
		return { ...chunk, text, toolCalls: toolCalls.filter((call) => !own.includes(call)) };
	};
	return {
		push(chunk) {
			const { text, toolCalls, finishReason } = chunk;
			let changed = text === undefined ? chunk : { ...chunk, text: shown(text) };
			if (toolCalls !== undefined && toolCalls.length > 0) changed = called(changed, toolCalls);
			if (isAnswered && finishReason === 'tool_calls')
				changed = { ...changed, finishReason: 'stop' };
			return [changed];
		},
		end: () => [{ text: hasCalls ? '' : (held ?? '') }],
	};
}

function messageIn(args: ToolCallPiece['arguments']): string | undefined {
	return nonEmptyText(recordOf(typeof args === 'string' ? parseJson(args) : args).message);
}
