import { isRecord, type JsonRecord, recordOf, text } from '../values';
import type { ContentPart } from './types';
import { base64Of, cleanBase64, parseDataUrl, unusable } from './data-url';
import { filePart, type ModelFile } from './file-part';

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

/** The readers of content blocks by their type, as LangChain, n8n, OpenAI, Anthropic and Google write them. */
const READERS: Readonly<Record<string, (block: Block) => ContentPart | undefined>> = {
	text: textPart,
	input_text: textPart,
	output_text: textPart,
	'text-plain': (block) => textPart(block) ?? mediaPart(block, 'text/plain'),
	image_url: linkedPicture,
	input_image: linkedPicture,
	image: (block) => mediaPart(block, 'image/png'),
	audio: (block) => mediaPart(block, 'audio/wav'),
	video: mediaPart,
	media: mediaPart,
	document: mediaPart,
	file: openAiFile,
	input_file: openAiFile,
	input_audio: openAiAudio,
	video_url: linkedVideo,
};

/**
 * Converts a content block of LangChain or n8n; undefined if it holds nothing for the server.
 *
 * @throws {ServerError} of kind `invalidInput` for content that no model server can read
 */
export function contentPart(block: unknown): ContentPart | undefined {
	if (typeof block === 'string') return { type: 'text', text: block };
	if (!isRecord(block) || block.type === undefined) return undefined;
	const type = String(block.type);
	if (NOT_CONTENT.has(type)) return undefined;
	const reader = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
	if (reader !== undefined) return reader(block);
	throw unusable(
		`A model server cannot read content of the type "${type}"`,
		'Pass text, pictures, audio or video to the model.',
	);
}

function textPart(block: Block): ContentPart | undefined {
	return typeof block.text === 'string' ? { type: 'text', text: block.text } : undefined;
}

function linkedPicture({ image_url: link }: Block): ContentPart {
	return pictureByUrl(isRecord(link) ? link.url : link);
}

/** A block for a picture may have a data URL of another type. */
function pictureByUrl(link: unknown): ContentPart {
	const url = text(link)?.trim() ?? '';
	if (/^https?:\/\//i.test(url)) return { type: 'image', url };
	const parts = parseDataUrl(url);
	if (parts === undefined) throw unusable('The picture is neither an http(s) URL nor a data URL');
	return filePart({ mime: parts.mime || 'image/png', data: url });
}

function openAiAudio(block: Block): ContentPart {
	const { data, format } = recordOf(block.input_audio);
	if (typeof data !== 'string') throw unusable('An audio input has no data');
	return { type: 'audio', data: cleanBase64(base64Of(data)), format: text(format) ?? 'wav' };
}

/** The form of vLLM (docs/protocols/other-servers.md 6.6). */
function linkedVideo({ video_url: link }: Block): ContentPart {
	const url = isRecord(link) ? link.url : link;
	if (typeof url !== 'string') throw unusable('A video has no URL');
	return linkedFile({ mime: '', data: url });
}

/** OpenAI's form of a file has a data URL in `file_data`. */
function openAiFile(block: Block): ContentPart {
	const { file_data: data, filename } = isRecord(block.file) ? block.file : block;
	if (typeof data !== 'string') return mediaPart(block);
	return filePart({ mime: parseDataUrl(data)?.mime ?? '', data, name: text(filename) });
}

/** A block with data or a URL, and often its MIME type and the file's name, in one of several places. */
function mediaPart(block: Block, defaultType = ''): ContentPart {
	const source = isRecord(block.source) ? block.source : block;
	const inlineText = inlineTextOf(block, source);
	if (inlineText !== undefined) return { type: 'text', text: inlineText };
	const mime = mimeOf(block, source) ?? defaultType;
	const name = nameOf(block);
	const data = dataOf(source.data);
	if (data !== undefined) return filePart({ mime: parseDataUrl(data)?.mime || mime, data, name });
	const url = firstText(block.url, source.url);
	if (url === undefined)
		throw unusable(`The ${String(block.type)} passed to the model holds no data`);
	if (block.type === 'image' || mime.startsWith('image/')) return pictureByUrl(url);
	return linkedFile({ mime, data: url, name });
}

/** The text of a block that says that it holds text. */
function inlineTextOf(block: Block, source: Block): string | undefined {
	const isText = block.source_type === 'text' || source.type === 'text';
	return isText ? firstText(block.text, source.data) : undefined;
}

function linkedFile({ mime, data: url, name }: ModelFile): ContentPart {
	const parts = parseDataUrl(url);
	if (parts !== undefined) return filePart({ mime: parts.mime || mime, data: url, name });
	const label = name === undefined ? 'a file' : `"${name}"`;
	throw unusable(
		`A model server cannot fetch ${label} from a URL`,
		'Download it first and pass its data.',
	);
}

function mimeOf(block: Block, source: Block): string | undefined {
	return firstText(
		block.mime_type,
		block.mimeType,
		block.media_type,
		source.media_type,
		source.mime_type,
	);
}

function nameOf(block: Block): string | undefined {
	const metadata = recordOf(block.metadata);
	return firstText(block.filename, metadata.filename, metadata.name, metadata.title);
}

function firstText(...values: unknown[]): string | undefined {
	return values.map(text).find((one) => one !== undefined);
}

/** Data as base64. LangChain's newer blocks contain bytes. */
function dataOf(value: unknown): string | undefined {
	return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : text(value);
}
