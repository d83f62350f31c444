/** What the user should know of an answer that is usable all the same, and what its server left out of it. */
import { traitsOf } from '../../servers/kinds';
import type { ServerKind, ToolCallMarkup } from '../../servers/kinds/kind';
import { UNSAID } from './finish-reason';
import { estimateTokens } from '../request/token-estimate';
import type { ChatAnswer, ChatMessage, ChatRequest, Usage } from '../types';

/** The answer with what its server did not tell, or what somebody else told in its place. */
export function completed(
	answer: ChatAnswer,
	messages: readonly ChatMessage[],
	loadMs: number | undefined,
): ChatAnswer {
	const isMinimal = answer.finishReason === UNSAID && answer.usage === undefined;
	return {
		...answer,
		...(isMinimal ? { usage: estimatedUsage(answer, messages) } : {}),
		...(loadMs === undefined ? {} : { timings: { ...answer.timings, load_ms: loadMs } }),
	};
}

function estimatedUsage({ text, reasoning }: ChatAnswer, messages: readonly ChatMessage[]): Usage {
	const promptTokens = messages.reduce((sum, message) => sum + estimateTokens(textOf(message)), 0);
	const completionTokens = estimateTokens(text + reasoning);
	return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, estimated: true };
}

function textOf({ content }: ChatMessage): string {
	return typeof content === 'string'
		? content
		: content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** A server that ignores tools answers as if there were none. */
export function notesOnForcedCall(
	{ toolChoice, serverKind }: ChatRequest,
	{ toolCalls }: Pick<ChatAnswer, 'toolCalls'>,
): string[] {
	const isForced = toolChoice === 'required' || typeof toolChoice === 'object';
	if (!isForced || toolCalls.length > 0 || traitsOf(serverKind).toolChoice === 'ignored') return [];
	return [
		'A tool had to be called, but the answer has no call: this server seems to ignore tools. Use a server and a model with tool calling.',
	];
}

export function notesOnCallsInText(markup: ToolCallMarkup | undefined, serverKind: ServerKind): string[] {
	if (markup === undefined) return [];
	return [
		`The server handed on a tool call as text, because it lacks the parser or the chat template for this model. The node read the call from the text. ${traitsOf(serverKind).toolParserAdvice(markup)}`,
	];
}
