import { createInputError } from '../errors/create-error';
import { parseMimeType } from '../file-name';
import { type ContentPart, toContentPart } from '../files/read-file';
import { asRecord, asString, isRecord, type JsonRecord, tryOrUndefined } from '../values';

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
const PARSERS: Readonly<Record<string, (block: JsonRecord) => ContentPart | undefined>> = {
	text: ({ text }) => (typeof text === 'string' ? { type: 'text', text } : undefined),
	image_url: ({ image_url: link }) => parseLink(link, 'image/png'),
	video_url: ({ video_url: link }) => parseLink(link, ''),
	input_audio: ({ input_audio: audio }) => {
		const { data, format } = asRecord(audio);
		if (typeof data !== 'string') throw createContentError('An audio input is empty');
		return parseData(data, `audio/${asString(format) ?? 'wav'}`);
	},
	image: (block) => parseMedia(block, 'image/png'),
	audio: (block) => parseMedia(block, 'audio/wav'),
	video: (block) => parseMedia(block, ''),
	file: (block) => {
		const { file_data: data, filename } = asRecord(block.file);
		return typeof data === 'string'
			? parseData(data, '', asString(filename))
			: parseMedia(block, '');
	},
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

function parseLink(link: unknown, mimeType: string): ContentPart {
	const url = asString(isRecord(link) ? link.url : link)?.trim() ?? '';
	if (!HTTP_URL.test(url) && !DATA_URL.test(url))
		throw createContentError('The image or video is neither an http(s) URL nor a data URL');
	return parseData(url, mimeType);
}

/** A block with data or a URL, and often its MIME type and the file's name. */
function parseMedia(block: JsonRecord, defaultType: string): ContentPart {
	const data = asString(block.data) ?? asString(block.url);
	if (data === undefined)
		throw createContentError(`The ${String(block.type)} passed to the model is empty`);
	return parseData(
		data,
		asString(block.mime_type) ?? asString(block.mimeType) ?? defaultType,
		asString(block.filename) ?? asString(asRecord(block.metadata).filename),
	);
}

const HTTP_URL = /^https?:\/\//i;
/** The part of a data URL (RFC 2397) before its data, which may be megabytes. */
const DATA_URL = /^data:([^,]{0,1000}),/i;
/** Padding only at the end: Node's decoder stops there. */
const BASE64 = /^[\w\s+/-]*(?:=\s*){0,2}$/;

/** @param data base64, a data URL, or the URL of an image: servers fetch no other files */
function parseData(data: string, mimeType: string, name?: string): ContentPart {
	if (HTTP_URL.test(data)) {
		if (mimeType.startsWith('image/')) return { type: 'image', url: data };
		throw createContentError(
			`Model servers cannot fetch ${name === undefined ? 'a file' : `"${name}"`} from a URL`,
			'Download the file first and pass its data.',
		);
	}
	const [prefix = '', header = ''] = DATA_URL.exec(data) ?? [];
	const isBase64 = prefix === '' || /;\s*base64\s*$/i.test(header);
	const content = data.slice(prefix.length);
	return toContentPart({
		name,
		// The type of a data URL overrides that of its block.
		mimeType: parseMimeType(header) || mimeType,
		bytes: isBase64 ? decodeBase64(content) : decodePercent(content),
	});
}

/** The bytes are sent as clean base64: llama-server's decoder stops at blanks (docs/protocols/llama-server.md 5). */
function decodeBase64(data: string): Buffer {
	const bytes = Buffer.from(data, 'base64');
	// The comparison takes a tenth of the time of the pattern.
	if (bytes.toString('base64') === data || BASE64.test(data)) return bytes;
	throw createContentError('The data of a file is not base64');
}

function decodePercent(data: string): Buffer {
	return Buffer.from(tryOrUndefined(() => decodeURIComponent(data)) ?? data);
}

/** The error for content that cannot be sent. */
function createContentError(
	message: string,
	suggestion = 'Check the field or file that is passed to the model.',
) {
	return createInputError(message, suggestion);
}
