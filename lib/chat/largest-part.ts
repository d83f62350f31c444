/** What makes a prompt long: advice that is about another part cannot help. */
import { formatBytes } from '../values/size';
import { estimateTokens } from '../values/tokens';
import { getMedia, getText } from './content';
import type { ToolDefinition } from './tool-definition';
import type { ChatMessage } from './chat-message';
import { isQuestion, isResult } from './chat-message';

/** Estimated tokens of an image or audio file; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/** Share of the prompt from which on a part is named: less than that does not decide. */
const MIN_SHARE = 0.5;

/** A part of a prompt. */
interface PromptPart {
	/** What it is, with its size, as the end of "The largest part of the prompt is …". */
	name: string;
	/** What makes it smaller. */
	advice: string;
	/** Estimated. */
	tokens: number;
}

/** What makes the largest part of a prompt smaller; undefined if no part decides. */
export function describeLargestPart(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): string | undefined {
	const parts = collectParts(messages, tools);
	const total = parts.reduce((sum, { tokens }) => sum + tokens, 0);
	const [largest] = parts.toSorted((a, b) => b.tokens - a.tokens);
	if (largest === undefined || total === 0 || largest.tokens < MIN_SHARE * total) return undefined;
	return `The largest part of the prompt is ${largest.name}: ${largest.advice}.`;
}

function collectParts(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]) {
	const lastUser = messages.findLastIndex(isQuestion);
	const start = lastUser < 0 ? messages.length : lastUser;
	const system = messages.filter(({ role }) => role === 'system').map(toText);
	const earlier = messages.slice(0, start).filter(({ role }) => role !== 'system');
	const current = messages.slice(start);
	const media = current.flatMap(({ content }) => getMedia(content));
	const definitions = tools.map((tool) => JSON.stringify(tool));
	const parts: PromptPart[] = [
		toPart(system, { name: 'the system message', advice: 'shorten it' }),
		toPart(earlier.map(toText), {
			name: 'the earlier conversation',
			advice: 'keep fewer messages in memory, or set History Budget in Local Chat Model',
		}),
		toPart(definitions, {
			name: `the ${tools.length === 1 ? 'definition of the tool' : `definitions of ${tools.length} tools`}`,
			advice: 'use fewer tools, or shorten their descriptions',
		}),
		{
			name: media.length === 1 ? 'the file' : `the ${media.length} files`,
			advice: 'pass fewer or smaller files',
			tokens: media.length * MEDIA_TOKENS,
		},
	];
	for (const message of current) {
		if (isQuestion(message))
			parts.push(toPart([toText(message)], { name: 'the input', advice: 'shorten it' }));
		if (message.role !== 'tool' || !isResult(message)) continue;
		const name = `the result of the tool "${message.name}"`;
		parts.push(
			toPart([message.content], {
				name,
				advice: 'let it return less, such as fewer items or fields',
			}),
		);
	}
	return parts;
}

function toText({ content }: ChatMessage) {
	return getText(content);
}

function toPart(
	texts: readonly string[],
	{ name, advice }: Omit<PromptPart, 'tokens'>,
): PromptPart {
	const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
	return {
		name: `${name} (${formatBytes(bytes)})`,
		advice,
		tokens: texts.reduce((sum, text) => sum + estimateTokens(text), 0),
	};
}
