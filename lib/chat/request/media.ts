import { invalidInput } from '../../errors/failure';
import { isRecord, recordOf, text } from '../../values';
import { soundExtension } from '../../sound-format';
import { decodeText } from './text-encoding';
import type { ContentPart } from '../types';

/**
 * Standard base64 without white space: llama-server's decoder silently stops at the first space, line break, `-` or `_`
 * (docs/protocols/llama-server.md 5), which would truncate the file.
 */
export function cleanBase64(data: string): string {
	return data.replace(/\s+/g, '').replace(/-/g, '+').replace(/_/g, '/');
}

/**
 * A data URL with clean base64, or the http(s) URL unchanged. @throws {ServerError} of kind `invalidInput` for anything
 * else
 */
export function imageUrl(url: string): string {
	const trimmed = url.trim();
	if (/^https?:\/\//i.test(trimmed)) return trimmed;
	const parts = dataUrlParts(trimmed);
	if (parts === undefined) throw unusable('The picture is neither an http(s) URL nor a data URL');
	if (!parts.isBase64) throw unusable('The data URL of the picture is not base64');
	return dataUrl(parts.mime || 'image/png', parts.data);
}

interface DataUrl {
	mime: string;
	/** The declared character encoding of a text. */
	charset?: string;
	isBase64: boolean;
	data: string;
}

function dataUrlParts(url: string): DataUrl | undefined {
	// The data may be megabytes, so only the part before it is split.
	const comma = url.slice(0, 5).toLowerCase() === 'data:' ? url.indexOf(',') : -1;
	if (comma < 0) return undefined;
	const [mime = '', ...parameters] = url.slice('data:'.length, comma).split(';');
	return {
		mime: mime.trim().toLowerCase(),
		charset: charsetIn(parameters),
		isBase64: parameters.at(-1)?.trim().toLowerCase() === 'base64',
		data: url.slice(comma + 1),
	};
}

function charsetIn(parameters: readonly string[]): string | undefined {
	return parameters
		.map((one) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(one)?.[1])
		.find((one) => one !== undefined);
}

function dataUrl(mime: string, base64: string): string {
	return `data:${mime.trim().toLowerCase()};base64,${cleanBase64(base64)}`;
}

function unusable(
	message: string,
	remedy = 'Check the field or the file that is passed to the model.',
) {
	return invalidInput(message, remedy);
}

/** Converts a file by its MIME type to a picture, audio or text part. Throws with advice for anything else. */
function filePart(mime: string, data: string, name: string | undefined): ContentPart {
	const [essence = '', ...parameters] = mime.split(';');
	const type = essence.trim().toLowerCase();
	const label =
		name === undefined
			? `a file of type ${type || 'unknown'}`
			: `the file "${name}" (${type || 'unknown type'})`;
	if (type.startsWith('image/')) return { type: 'image', url: dataUrl(type, stripDataUrl(data)) };
	if (type.startsWith('audio/'))
		return {
			type: 'audio',
			data: cleanBase64(stripDataUrl(data)),
			format: soundExtension(type) ?? type.slice('audio/'.length),
		};
	if (TEXT_TYPES.test(type)) return { type: 'text', text: textIn(data, charsetIn(parameters)) };
	if (type === 'application/pdf')
		throw unusable(
			`A model server cannot read PDFs, and ${label} was passed to the model`,
			'Put an "Extract From File" node (Extract From PDF) in front and pass its text on, or turn off passing binary files to the model.',
		);
	throw unusable(
		`A model server cannot read ${label}`,
		'Pass pictures, audio (wav, mp3, flac) or text, or turn off passing binary files to the model.',
	);
}

const TEXT_TYPES =
	/^text\/|^application\/(?:(?:.*\+)?(?:json|xml|yaml)|x-yaml|x-ndjson|javascript|sql)$/;

function textIn(data: string, declared: string | undefined): string {
	const parts = dataUrlParts(data);
	const charset = parts?.charset ?? declared;
	if (parts === undefined || parts.isBase64)
		return decodeText(Buffer.from(cleanBase64(parts?.data ?? data), 'base64'), charset);
	return decodeText(percentBytes(parts.data), charset);
}

/** Decodes `%FC` to a byte. */
function percentBytes(encoded: string): Buffer {
	return Buffer.concat(
		encoded
			.split(/((?:%[0-9a-f]{2})+)/i)
			.map((part, index) =>
				index % 2 === 0 ? Buffer.from(part, 'utf8') : Buffer.from(part.replaceAll('%', ''), 'hex'),
			),
	);
}

function stripDataUrl(data: string): string {
	return dataUrlParts(data)?.data ?? data;
}

/** Data as base64. LangChain's newer blocks contain bytes. */
function dataOf(value: unknown): string | undefined {
	return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : text(value);
}

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

/**
 * Converts a content block of LangChain or n8n; undefined if it holds nothing for the server.
 *
 * @throws {ServerError} of kind `invalidInput` for content that no model server can read
 */
export function contentPart(block: unknown): ContentPart | undefined {
	if (typeof block === 'string') return { type: 'text', text: block };
	if (!isRecord(block)) return undefined;
	switch (block.type) {
		case 'text':
		case 'input_text':
		case 'output_text':
			return typeof block.text === 'string' ? { type: 'text', text: block.text } : undefined;
		case 'text-plain':
			return typeof block.text === 'string'
				? { type: 'text', text: block.text }
				: mediaPart(block, 'text/plain');
		case 'image_url':
		case 'input_image':
			return pictureByUrl(isRecord(block.image_url) ? block.image_url.url : block.image_url);
		case 'image':
		case 'audio':
		case 'video':
		case 'media':
		case 'document':
			return mediaPart(block);
		case 'file':
		case 'input_file':
			return openAiFile(isRecord(block.file) ? block.file : block) ?? mediaPart(block);
		case 'input_audio': {
			const audio = isRecord(block.input_audio) ? block.input_audio : {};
			if (typeof audio.data !== 'string') throw unusable('An audio input has no data');
			return {
				type: 'audio',
				data: cleanBase64(stripDataUrl(audio.data)),
				format: text(audio.format) ?? 'wav',
			};
		}
		default:
			if (block.type === undefined || NOT_CONTENT.has(String(block.type))) return undefined;
			throw unusable(
				`A model server cannot read content of the type "${String(block.type)}"`,
				'Pass text, pictures or audio to the model.',
			);
	}
}

/** A block for a picture may have a data URL of another type. */
function pictureByUrl(url: unknown): ContentPart {
	if (typeof url !== 'string') throw unusable('A picture has no URL');
	const mime = dataUrlParts(url.trim())?.mime ?? '';
	return mime === '' || mime.startsWith('image/')
		? { type: 'image', url: imageUrl(url) }
		: filePart(mime, url.trim(), undefined);
}

/** OpenAI's form of a file: `file_data` is a data URL. */
function openAiFile({
	file_data: data,
	filename,
}: Record<string, unknown>): ContentPart | undefined {
	if (typeof data !== 'string') return undefined;
	return filePart(dataUrlParts(data)?.mime ?? '', data, text(filename));
}

const DEFAULT_TYPES: Record<string, string> = { image: 'image/png', audio: 'audio/wav' };

function mediaPart(block: Record<string, unknown>, fallback?: string): ContentPart {
	const source = isRecord(block.source) ? block.source : block;
	const metadata = recordOf(block.metadata);
	const firstText = (...values: unknown[]) => values.map(text).find((one) => one !== undefined);
	const name = firstText(block.filename, metadata.filename, metadata.name, metadata.title);
	const given = firstText(
		block.mime_type,
		block.mimeType,
		block.media_type,
		source.media_type,
		source.mime_type,
	);
	const type = given ?? fallback ?? DEFAULT_TYPES[String(block.type)] ?? '';
	if (block.source_type === 'text' || source.type === 'text') {
		const content = text(block.text) ?? text(source.data);
		if (content !== undefined) return { type: 'text', text: content };
	}
	const data = dataOf(source.data);
	if (data !== undefined) return filePart(dataUrlParts(data)?.mime || type, data, name);
	const url = text(block.url) ?? text(source.url);
	if (url === undefined)
		throw unusable(`The ${String(block.type)} passed to the model holds no data`);
	if (block.type === 'image' || type.startsWith('image/')) return pictureByUrl(url);
	const parts = dataUrlParts(url);
	if (parts !== undefined) return filePart(parts.mime || type, url, name);
	throw unusable(
		`A model server cannot fetch ${name === undefined ? 'a file' : `"${name}"`} from a URL`,
		'Download it first and pass its data.',
	);
}
