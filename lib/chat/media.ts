import { isRecord, type JsonRecord, asRecord, asString } from '../values';
import type { ContentPart } from './types';
import { extractBase64, normalizeBase64, parseDataUrl, createContentError } from './data-url';
import { toContentPart, type FileInput } from './content-part';

type Block = JsonRecord;

/** Blocks that are sent elsewhere: in `tool_calls` or as thinking of the message. */
export const NOT_CONTENT = new Set([
	'tool_use',
	'tool_call',
	'tool_call_chunk',
	'input_json_delta',
	'thinking',
	'redacted_thinking',
	'reasoning',
	'non_standard',
]);

/** The readers of content blocks by their type, as n8n, LangChain, MCP, OpenAI and vLLM write them. */
const READERS: Readonly<Record<string, (block: Block) => ContentPart | undefined>> = {
	text: ({ text: words }) =>
		typeof words === 'string' ? { type: 'text', text: words } : undefined,
	image_url: ({ image_url: link }) => linkedPart(link, 'image/png'),
	video_url: ({ video_url: link }) => linkedPart(link, ''),
	input_audio: openAiAudio,
	image: (block) => mediaPart(block, 'image/png'),
	audio: (block) => mediaPart(block, 'audio/wav'),
	video: mediaPart,
	file: openAiFile,
};

/**
 * Converts a content block of LangChain or n8n; undefined if it holds nothing for the server.
 *
 * @throws {ServerError} of type `invalidInput` for content that no model server can read
 */
export function parseContentPart(block: unknown): ContentPart | undefined {
	if (typeof block === 'string') return { type: 'text', text: block };
	if (!isRecord(block) || block.type === undefined) return undefined;
	const type = String(block.type);
	if (NOT_CONTENT.has(type)) return undefined;
	const reader = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
	if (reader !== undefined) return reader(block);
	throw createContentError(
		`Model servers cannot read content of type "${type}"`,
		'Pass text, images, audio or video to the model.',
	);
}

function linkedPart(link: unknown, mime: string): ContentPart {
	const url = asString(isRecord(link) ? link.url : link)?.trim() ?? '';
	if (!isAddress(url) && parseDataUrl(url) === undefined)
		throw createContentError('The image or video is neither an http(s) URL nor a data URL');
	return fileOrLink({ mime, data: url });
}

function openAiAudio(block: Block): ContentPart {
	const { data, format } = asRecord(block.input_audio);
	if (typeof data !== 'string') throw createContentError('An audio input is empty');
	return {
		type: 'audio',
		data: normalizeBase64(extractBase64(data)),
		format: asString(format) ?? 'wav',
	};
}

/** OpenAI's form of a file has a data URL in `file_data`. */
function openAiFile(block: Block): ContentPart {
	const { file_data: data, filename } = asRecord(block.file);
	if (typeof data !== 'string') return mediaPart(block);
	return fileOrLink({ mime: '', data, name: asString(filename) });
}

/** A block with data or a URL, and often its MIME type and the file's name. */
function mediaPart(block: Block, defaultType = ''): ContentPart {
	const data = asString(block.data) ?? asString(block.url);
	if (data === undefined)
		throw createContentError(`The ${String(block.type)} passed to the model is empty`);
	return fileOrLink({
		mime: asString(block.mime_type) ?? asString(block.mimeType) ?? defaultType,
		data,
		name: asString(block.filename) ?? asString(asRecord(block.metadata).filename),
	});
}

/** A data URL may be of another type than the block around it says. Servers fetch only pictures themselves. */
function fileOrLink({ mime, data, name }: FileInput): ContentPart {
	if (!isAddress(data))
		return toContentPart({ mime: parseDataUrl(data)?.mime || mime, data, name });
	if (mime.startsWith('image/')) return { type: 'image', url: data };
	throw createContentError(
		`Model servers cannot fetch ${name === undefined ? 'a file' : `"${name}"`} from a URL`,
		'Download the file first and pass its data.',
	);
}

function isAddress(data: string): boolean {
	return /^https?:\/\//i.test(data);
}
