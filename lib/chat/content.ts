/** The texts and the media of messages. */
import { decodeInlineData, isDataUrl } from '../files/inline-data';
import type { ContentPart, MediaPart } from '../files/read-file';
import { toContentPart } from '../files/read-file';
import type { ChatMessage } from './chat-message';
import type { InputPart } from './input-message';
import type { JsonRecord } from '../values/records';
import { asRecord, isRecord, asString } from '../values/records';
import { parseJson } from '../values/json';
import { getErrorMessage } from '../values/text';
import { createInputError } from '../errors/create-error';
import { getOwn } from '../values/own-properties';

/** The text of a content, without images, audio and video. */
export function getText(content: ChatMessage['content'], separator = ''): string {
	if (typeof content === 'string') return content;
	return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(separator);
}

/** The images, audio and video. */
export function getMedia(content: ChatMessage['content']): MediaPart[] {
	return typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text');
}

/** Merges an element into the one before it, if `merge` returns what both become. */
export function mergeAdjacent<T>(
	list: readonly T[],
	merge: (previous: T, next: T) => T | undefined,
): T[] {
	const merged: T[] = [];
	for (const next of list) {
		const both = merged.length > 0 ? merge(merged.at(-1)!, next) : undefined;
		if (both === undefined) merged.push(next);
		else merged[merged.length - 1] = both;
	}
	return merged;
}

/** Whether a message contains an image, audio or video. */
export function hasMedia({ content }: ChatMessage): boolean {
	return getMedia(content).length > 0;
}

/** The text of a content block. */
export function blockToText(block: unknown): string {
	if (block === null || block === undefined) return '';
	return asString(block) ?? asString(asRecord(block).text) ?? JSON.stringify(block);
}

/**
 * Splits a tool's result into text and images: servers accept images only in user messages, and as text an image would
 * be 200 KB of base64 for the model. n8n passes results as content blocks, or as JSON text of them, also in MCP's
 * `content` and in `response`. Other blocks become JSON, so that nothing is lost.
 */
export function parseToolResult(content: unknown): { text: string; images: ContentPart[] } {
	const images: ContentPart[] = [];
	let hasFiles = false;
	const texts = collectBlocks(content).map((block) => {
		const image = parseImage(block);
		if (image === undefined) return blockToText(block);
		hasFiles = true;
		if (typeof image === 'string') return image;
		images.push(image);
		return `[Image ${images.length}, below]`;
	});
	// Text without files stays unchanged.
	const text = typeof content === 'string' && !hasFiles ? content : texts.join('\n');
	return { text, images };
}

/** Characters of JSON: images of 12 MB as base64. A longer result is text, of which the model gets the beginning. */
const MAX_RESULT_WITH_IMAGES = 16 * 1024 * 1024;

/** MCP puts blocks into `content`; n8n's agent 3.1 lists them in the `response` of each entry, as text if it was text. */
function collectBlocks(result: unknown): unknown[] {
	const mayHaveImages = typeof result === 'string' && result.length <= MAX_RESULT_WITH_IMAGES;
	const parsed = mayHaveImages && result.includes('"image') ? parseJson(result) : undefined;
	const blocks = asRecord(parsed ?? result).content ?? parsed ?? result;
	return [blocks].flat().flatMap((entry: unknown) => {
		const { response } = asRecord(entry);
		return response === undefined ? [entry] : collectBlocks(response);
	});
}

/**
 * Accepts only data: a URL would be fetched by the model server inside its network, past n8n's egress filter.
 *
 * @returns a text instead of a file that no model server reads; undefined for data that only looks like an image
 */
function parseImage(block: unknown): ContentPart | string | undefined {
	if (!isRecord(block) || !/^image(?:_url)?$/.test(String(block.type))) return undefined;
	try {
		const part = parseContentPart({ block, origin: 'foreign' });
		return part?.type === 'image' && part.url.startsWith('data:') ? part : undefined;
	} catch (error) {
		return hasLargeData(block) ? `[Image left out: ${getErrorMessage(error)}]` : undefined;
	}
}

/** Characters of base64 that a model may read as text; a file has more. */
const MAX_DATA_AS_TEXT = 200;

function hasLargeData({ data, url, image_url: link }: JsonRecord) {
	const text = [data, url, link, asRecord(link).url]
		.map(asString)
		.find((value) => value !== undefined);
	const isLarge = text !== undefined && text.length > MAX_DATA_AS_TEXT;
	return isLarge && decodeInlineData(text) !== undefined;
}

/** Types of blocks that are not content: tool calls and the thinking of the message are sent in separate fields. */
export const NON_CONTENT_TYPES: Set<string> = new Set([
	'tool_use',
	'tool_call',
	'tool_call_chunk',
	'input_json_delta',
	'thinking',
	'redacted_thinking',
	'reasoning',
	'non_standard',
]);

/** Parsers of content blocks by type, in the formats of n8n, LangChain, MCP, OpenAI and vLLM. */
const PARSERS: Readonly<Record<string, (block: JsonRecord) => ContentPart>> = {
	image_url: ({ image_url: link }) => parseLink(link, 'image/png'),
	video_url: ({ video_url: link }) => parseLink(link, ''),
	input_audio: ({ input_audio: audio }) => {
		const { data, format } = asRecord(audio);
		if (typeof data !== 'string') throw createContentError('An audio input is empty');
		return parseData({ data, mimeType: `audio/${asString(format) ?? 'wav'}` });
	},
	image: (block) => parseMedia(block, 'image/png'),
	audio: (block) => parseMedia(block, 'audio/wav'),
	video: (block) => parseMedia(block, ''),
	file: (block) => {
		const { file_data: data, filename } = asRecord(block.file);
		return typeof data === 'string'
			? parseData({ data, mimeType: '', name: asString(filename) })
			: parseMedia(block, '');
	},
};

/**
 * Converts a content block of LangChain or n8n; undefined if it contains nothing to send.
 *
 * @throws {ServerError} of type `invalidInput` for content that no model server can read
 */
export function parseContentPart({ block, origin }: InputPart): ContentPart | undefined {
	if (typeof block === 'string') return { type: 'text', text: block, origin };
	if (!isRecord(block) || block.type === undefined) return undefined;
	const type = String(block.type);
	if (NON_CONTENT_TYPES.has(type)) return undefined;
	if (type === 'text')
		return typeof block.text === 'string' ? { type, text: block.text, origin } : undefined;
	const parser = getOwn(PARSERS, type);
	if (parser) return parser(block);
	throw createContentError(
		`Model servers cannot read content of type "${type}"`,
		'Pass text, images, audio or video to the model.',
	);
}

function parseLink(link: unknown, mimeType: string): ContentPart {
	const url = asString(isRecord(link) ? link.url : link)?.trim() ?? '';
	if (!HTTP_URL.test(url) && !isDataUrl(url))
		throw createContentError('The image or video is neither an http(s) URL nor a data URL');
	return parseData({ data: url, mimeType });
}

/** A block with data or a URL, and often its MIME type and the file's name. */
function parseMedia(block: JsonRecord, defaultType: string): ContentPart {
	const data = asString(block.data) ?? asString(block.url);
	if (data === undefined)
		throw createContentError(`The ${String(block.type)} passed to the model is empty`);
	return parseData({
		data,
		mimeType: asString(block.mime_type) ?? asString(block.mimeType) ?? defaultType,
		name: asString(block.filename) ?? asString(asRecord(block.metadata).filename),
	});
}

const HTTP_URL = /^https?:\/\//i;

/** A file in a block. */
interface BlockFile {
	/** Base64, a data URL, or the URL of an image: servers fetch no other files. */
	data: string;
	/** Of the block; empty if it names none. */
	mimeType: string;
	name?: string;
}

function parseData({ data, mimeType, name }: BlockFile): ContentPart {
	if (HTTP_URL.test(data)) {
		if (mimeType.startsWith('image/')) return { type: 'image', url: data };
		throw createContentError(
			`Model servers cannot fetch ${name === undefined ? 'a file' : `"${name}"`} from a URL`,
			'Download the file first and pass its data.',
		);
	}
	const inline = decodeInlineData(data);
	if (inline === undefined) throw createContentError('The data of a file is not base64');
	if (inline.bytes.length === 0)
		throw createContentError(
			`${name === undefined ? 'A file' : `The file "${name}"`} has no content`,
		);
	return toContentPart({
		name,
		// The type of a data URL overrides that of its block.
		mimeType: inline.mimeType || mimeType,
		// They are sent as clean base64: llama-server's decoder stops at blanks (docs/protocols/llama-server.md 5).
		bytes: inline.bytes,
	});
}

/** The error for content that cannot be sent. */
function createContentError(
	message: string,
	suggestion = 'Check the field or file that is passed to the model.',
) {
	return createInputError(message, suggestion);
}
