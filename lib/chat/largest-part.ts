/** What makes a prompt long: advice that is about another part cannot help. */
import type { PromptPart } from '../errors/facts';
import { estimateTokens } from '../values/tokens';
import { getMedia, getText } from './content';
import type { ToolDefinition } from './tool-definition';
import type { ChatMessage } from './chat-message';
import { isQuestion } from './chat-message';

/** Estimated tokens of an image or audio file; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/** Share of the prompt from which on a part is named: less than that does not decide. */
const MIN_SHARE = 0.5;

/** A part with its size. */
interface SizedPart {
	part: PromptPart;
	/** Estimated. */
	tokens: number;
}

/** The largest part of a prompt; undefined if no part decides. */
export function findLargestPart(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): PromptPart | undefined {
	const parts = collectParts(messages, tools);
	const total = parts.reduce((sum, { tokens }) => sum + tokens, 0);
	const [largest] = parts.toSorted((a, b) => b.tokens - a.tokens);
	if (largest === undefined || total === 0 || largest.tokens < MIN_SHARE * total) return undefined;
	return largest.part;
}

function collectParts(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): SizedPart[] {
	const lastUser = messages.findLastIndex(isQuestion);
	const start = lastUser < 0 ? messages.length : lastUser;
	const system = messages.filter(({ role }) => role === 'system').map(toText);
	const earlier = messages.slice(0, start).filter(({ role }) => role !== 'system');
	const current = messages.slice(start);
	const media = current.flatMap(({ content }) => getMedia(content));
	const definitions = tools.map((tool) => JSON.stringify(tool));
	return [
		toSizedPart(system, (bytes) => ({ kind: 'systemMessage', bytes })),
		toSizedPart(earlier.map(toText), (bytes) => ({ kind: 'earlierConversation', bytes })),
		toSizedPart(definitions, (bytes) => ({ kind: 'tools', count: tools.length, bytes })),
		{ part: { kind: 'files', count: media.length }, tokens: media.length * MEDIA_TOKENS },
		...current.flatMap(toCurrentPart),
	];
}

/** The question of a turn, or the result of a tool in it. */
function toCurrentPart(message: ChatMessage): SizedPart[] {
	if (isQuestion(message))
		return [toSizedPart([toText(message)], (bytes) => ({ kind: 'input', bytes }))];
	if (message.role !== 'tool') return [];
	const { name, content } = message;
	return [toSizedPart([content], (bytes) => ({ kind: 'toolResult', tool: name, bytes }))];
}

function toText({ content }: ChatMessage) {
	return getText(content);
}

function toSizedPart(texts: readonly string[], toPart: (bytes: number) => PromptPart): SizedPart {
	const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
	const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
	return { part: toPart(bytes), tokens };
}
