import { isRecord, type JsonRecord, asRecord, asString } from '../values';
import type { ContentPart } from './types';
import { extractBase64, normalizeBase64, parseDataUrl, createContentError } from './data-url';
import { toContentPart, type FileInput } from './to-content-part';

type ContentBlock = JsonRecord;

/** Types of blocks that are not content: tool calls and the thinking of the message are sent in separate fields. */
export const NON_CONTENT_TYPES = new Set([
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
const PARSERS: Readonly<Record<string, (block: ContentBlock) => ContentPart | undefined>> = {
	text: ({ text }) => (typeof text === 'string' ? { type: 'text', text } : undefined),
	image_url: ({ image_url: link }) => toLinkedPart(link, 'image/png'),
	video_url: ({ video_url: link }) => toLinkedPart(link, ''),
	input_audio: toAudioPart,
	image: (block) => toMediaPart(block, 'image/png'),
	audio: (block) => toMediaPart(block, 'audio/wav'),
	video: toMediaPart,
	file: toFilePart,
};

/**
 * Converts a content block of LangChain or n8n; undefined if it contains nothing to send.
 *
 * @throws {ServerError} of type `invalidInput` for content that no model server can read
 */
export function parseContentPart(block: unknown): ContentPart | undefined {
	if (typeof block === 'string') return { type: 'text', text: block };
	if (!isRecord(block) || block.type === undefined) return undefined;
	const type = String(block.type);
	if (NON_CONTENT_TYPES.has(type)) return undefined;
	const parser = Object.hasOwn(PARSERS, type) ? PARSERS[type] : undefined;
	if (parser !== undefined) return parser(block);
	throw createContentError(
		`Model servers cannot read content of type "${type}"`,
		'Pass text, images, audio or video to the model.',
	);
}

function toLinkedPart(link: unknown, mime: string): ContentPart {
	const url = asString(isRecord(link) ? link.url : link)?.trim() ?? '';
	if (!isHttpUrl(url) && parseDataUrl(url) === undefined)
		throw createContentError('The image or video is neither an http(s) URL nor a data URL');
	return toFileOrLink({ mime, data: url });
}

function toAudioPart(block: ContentBlock): ContentPart {
	const { data, format } = asRecord(block.input_audio);
	if (typeof data !== 'string') throw createContentError('An audio input is empty');
	return {
		type: 'audio',
		data: normalizeBase64(extractBase64(data)),
		format: asString(format) ?? 'wav',
	};
}

/** A file in OpenAI's format has a data URL in `file_data`. */
function toFilePart(block: ContentBlock): ContentPart {
	const { file_data: data, filename } = asRecord(block.file);
	if (typeof data !== 'string') return toMediaPart(block);
	return toFileOrLink({ mime: '', data, name: asString(filename) });
}

/** A block with data or a URL, and often its MIME type and the file's name. */
function toMediaPart(block: ContentBlock, defaultType = ''): ContentPart {
	const data = asString(block.data) ?? asString(block.url);
	if (data === undefined)
		throw createContentError(`The ${String(block.type)} passed to the model is empty`);
	return toFileOrLink({
		mime: asString(block.mime_type) ?? asString(block.mimeType) ?? defaultType,
		data,
		name: asString(block.filename) ?? asString(asRecord(block.metadata).filename),
	});
}

/** The type of a data URL overrides that of its block. Servers fetch only images by URL. */
function toFileOrLink({ mime, data, name }: FileInput): ContentPart {
	if (!isHttpUrl(data))
		return toContentPart({ mime: parseDataUrl(data)?.mime || mime, data, name });
	if (mime.startsWith('image/')) return { type: 'image', url: data };
	throw createContentError(
		`Model servers cannot fetch ${name === undefined ? 'a file' : `"${name}"`} from a URL`,
		'Download the file first and pass its data.',
	);
}

function isHttpUrl(data: string): boolean {
	return /^https?:\/\//i.test(data);
}
