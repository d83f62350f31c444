import type { ChatMessage, ContentPart, MediaPart, InputMessage } from './types';
import { parseJson } from '../json';
import { isRecord, asRecord } from '../values';
import { parseContentPart } from './media';

/** The text of a content, without images, audio and video. */
export function getText(content: ChatMessage['content'], separator = ''): string {
	if (typeof content === 'string') return content;
	return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(separator);
}

/** The images, audio and video. */
export function getMedia(content: ChatMessage['content']): MediaPart[] {
	return typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text');
}

/** Joins adjacent texts with a line break: some templates put nothing between them, which would merge words. */
export function joinAdjacentTexts(parts: readonly ContentPart[]): ContentPart[] {
	const joined: ContentPart[] = [];
	for (const part of parts) {
		const previous = joined.at(-1);
		if (part.type === 'text' && previous?.type === 'text')
			joined[joined.length - 1] = { type: 'text', text: `${previous.text}\n${part.text}` };
		else joined.push(part);
	}
	return joined;
}

/** Whether a message contains an image, audio or video. */
export function hasMedia({ content }: ChatMessage): boolean {
	return getMedia(content).length > 0;
}

/** A list of tool names, and nothing else. */
const CALLING_TOOLS = /^Calling tools: ([\w-]+(?:, [\w-]+)*)$/;

const USED_TOOLS = '[Used tools: Tool: ';

const RESULT = ', Result: ';

/**
 * Removes what n8n's agent added to a model's text (docs/protocols/n8n.md 2.4), because models imitate it instead of
 * calling tools. Only exact matches are removed.
 *
 * @param calls the calls of the same message
 */
export function stripAgentText(
	text: string,
	calls: NonNullable<InputMessage['toolCalls']>,
): string {
	const trimmed = text.trim();
	const listed = new Set(CALLING_TOOLS.exec(trimmed)?.[1]?.split(', '));
	const isCallingText = calls.some(
		({ name, args }) =>
			// n8n 2.20, in every replayed call.
			trimmed === `Calling ${name} with input: ${JSON.stringify(args)}` ||
			// n8n 2.41, the same text in all calls of a response.
			listed.has(name),
	);
	return isCallingText ? '' : stripUsedTools(text);
}

/**
 * Removes the text that n8n adds before a response if a memory stores only texts: up to the first `] ` after the last
 * result. A text with nothing else is kept.
 */
function stripUsedTools(text: string): string {
	const result = text.lastIndexOf(RESULT);
	if (!text.startsWith(USED_TOOLS) || result < 0) return text;
	return text.slice(text.indexOf('] ', result) + 1).trimStart() || text;
}

interface ToolResultContent {
	text: string;
	images: ContentPart[];
}

/**
 * Splits a tool's result into text and images: servers accept images only in user messages, and as text an image would
 * be 200 KB of base64 for the model. n8n passes results as content blocks, or as JSON text of them, also in MCP's
 * `content` and in `response`. Other blocks become JSON, so that nothing is lost.
 */
export function parseToolResult(content: unknown): ToolResultContent {
	const isText = typeof content === 'string';
	const blocks = collectBlocks(content);
	const imageByBlock = blocks.map(parseImage);
	if (isText && imageByBlock.every((image) => image === undefined))
		return { text: content, images: [] };
	let count = 0;
	return {
		text: blocks
			.map((block, index) =>
				imageByBlock[index] === undefined ? blockToText(block) : `[Image ${++count}, below]`,
			)
			.join('\n'),
		images: imageByBlock.filter((image) => image !== undefined),
	};
}

/** MCP puts blocks into `content`; n8n's agent 3.1 lists them in the `response` of each entry, as text if it was text. */
function collectBlocks(result: unknown): unknown[] {
	const parsed =
		typeof result === 'string' && result.includes('"image') ? parseJson(result) : undefined;
	const blocks = asRecord(parsed ?? result).content ?? parsed ?? result;
	return [blocks].flat().flatMap((entry: unknown) => {
		const { response } = asRecord(entry);
		return response === undefined ? [entry] : collectBlocks(response);
	});
}

/** Data URL of an image in base64. */
const IMAGE_DATA = /^data:image\/[\w.+-]+;base64,[\w+/=]+$/;

/** Accepts only data: a URL would be fetched by the model server inside its network, past n8n's egress filter. */
function parseImage(block: unknown): ContentPart | undefined {
	if (!isRecord(block) || !/^image(?:_url)?$/.test(String(block.type))) return undefined;
	try {
		const part = parseContentPart(block);
		return part?.type === 'image' && IMAGE_DATA.test(part.url) ? part : undefined;
	} catch {
		// Data that only looks like an image.
		return undefined;
	}
}

/** The text of a content block. */
export function blockToText(block: unknown): string {
	if (typeof block === 'string') return block;
	if (block === null || block === undefined) return '';
	const { text } = asRecord(block);
	return typeof text === 'string' ? text : JSON.stringify(block);
}

/** `<|…|>` of ChatML, Llama 3, gpt-oss; `[INST]` of Mistral and Llama 2; Gemma's turns; DeepSeek's bars; ends of texts. */
const CONTROL_TOKENS =
	/<\|(?=[\w:/ -]{1,64}\|>)|<[|｜](?=[^<>]{1,64}[|｜]>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|CALL_ID|IMG)\])|<(?=\/?(?:s|bos|eos|start_of_turn|end_of_turn)>)|<(?=<\/?SYS>>)/g;

/** A zero-width space is invisible, and tokenizers do not join the text around it. */
const BREAK = '\u200b';

/** Breaks up control tokens of models in texts of users, tools and files, so that templates treat them as text. */
export function breakControlTokens(text: string): string {
	return text.replace(CONTROL_TOKENS, (start) => start + BREAK);
}
