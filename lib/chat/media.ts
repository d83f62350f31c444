import { failure, isRecord } from '../transport/failure';
import type { ContentPart } from './types';

/**
 * Base64 as llama-server wants it: its decoder stops silently at the first blank, line break, `-` or `_`
 * (contract llama-server 5), which would cut the file off.
 */
export function cleanBase64(data: string): string {
	return data.replace(/\s+/g, '').replace(/-/g, '+').replace(/_/g, '/');
}

/** A data URL with clean base64, or the http(s) URL as it is. */
export function imageUrl(url: string): string {
	const trimmed = url.trim();
	if (/^https?:\/\//i.test(trimmed)) return trimmed;
	const match = /^data:([^,;]*)((?:;[^,;]*)*),([\s\S]*)$/i.exec(trimmed);
	if (!match) throw unusable('The picture is neither an http(s) URL nor a data URL');
	const [, mime = '', parameters = '', data = ''] = match;
	if (!/;\s*base64\s*$/i.test(parameters)) throw unusable('The data URL of the picture is not base64');
	return dataUrl(mime || 'image/png', data);
}

function dataUrl(mime: string, base64: string): string {
	return `data:${mime.trim().toLowerCase()};base64,${cleanBase64(base64)}`;
}

function unusable(message: string, remedy = 'Check the field or the file that is passed to the model.') {
	return failure('invalidInput', {}, { message, remedy });
}

const AUDIO_FORMATS: Record<string, string> = {
	'audio/mpeg': 'mp3',
	'audio/mp3': 'mp3',
	'audio/wav': 'wav',
	'audio/x-wav': 'wav',
	'audio/wave': 'wav',
	'audio/vnd.wave': 'wav',
	'audio/flac': 'flac',
	'audio/x-flac': 'flac',
	'audio/ogg': 'ogg',
};

/** A file that n8n or LangChain hands over, by its MIME type: picture, audio, or text. Anything else is refused with advice. */
function filePart(mime: string, data: string, name: string | undefined): ContentPart {
	const type = mime.split(';')[0]!.trim().toLowerCase();
	const label = name === undefined ? `a file of type ${type || 'unknown'}` : `the file "${name}" (${type || 'unknown type'})`;
	if (type.startsWith('image/')) return { type: 'image', url: dataUrl(type, stripDataUrl(data)) };
	if (type.startsWith('audio/')) {
		return { type: 'audio', data: cleanBase64(stripDataUrl(data)), format: AUDIO_FORMATS[type] ?? type.slice('audio/'.length) };
	}
	if (type.startsWith('text/') || type === 'application/json') {
		return { type: 'text', text: Buffer.from(cleanBase64(stripDataUrl(data)), 'base64').toString('utf8') };
	}
	if (type === 'application/pdf') {
		throw unusable(
			`A model server cannot read PDFs, and ${label} was passed to the model`,
			'Put an "Extract From File" node (Extract From PDF) in front and pass its text on, or turn off passing binary files to the model.',
		);
	}
	throw unusable(`A model server cannot read ${label}`, 'Pass pictures, audio (wav, mp3, flac) or text, or turn off passing binary files to the model.');
}

function stripDataUrl(data: string): string {
	return data.startsWith('data:') ? data.slice(data.indexOf(',') + 1) : data;
}

function str(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/**
 * One content block of LangChain or n8n as a part, or undefined when it holds nothing for the server (thinking blocks, tool-use
 * blocks whose calls travel in `tool_calls`).
 *
 * @throws {ServerError} of kind `invalidInput` for what no model server can read
 */
export function contentPart(block: unknown): ContentPart | undefined {
	if (typeof block === 'string') return { type: 'text', text: block };
	if (!isRecord(block)) return undefined;
	const mime = str(block.mime_type) ?? str(block.mimeType) ?? str(block.media_type);
	const name = str(block.filename) ?? (isRecord(block.metadata) ? str(block.metadata.filename) : undefined);
	switch (block.type) {
		case 'text':
		case 'input_text':
		case 'output_text':
		case 'text-plain':
			return typeof block.text === 'string' ? { type: 'text', text: block.text } : undefined;
		case 'image_url':
		case 'input_image': {
			const url = isRecord(block.image_url) ? block.image_url.url : block.image_url;
			if (typeof url !== 'string') throw unusable('A picture has no URL');
			return { type: 'image', url: imageUrl(url) };
		}
		case 'image':
		case 'audio':
		case 'video':
		case 'file':
		case 'media':
		case 'document':
			return mediaPart(block, mime, name);
		case 'input_audio': {
			const audio = isRecord(block.input_audio) ? block.input_audio : {};
			if (typeof audio.data !== 'string') throw unusable('An audio input has no data');
			return { type: 'audio', data: cleanBase64(stripDataUrl(audio.data)), format: str(audio.format) ?? 'wav' };
		}
		default:
			return undefined;
	}
}

function mediaPart(block: Record<string, unknown>, mime: string | undefined, name: string | undefined): ContentPart {
	const source = isRecord(block.source) ? block.source : block;
	const type = mime ?? str(source.media_type) ?? str(source.mime_type) ?? (block.type === 'image' ? 'image/png' : block.type === 'audio' ? 'audio/wav' : '');
	const data = str(source.data) ?? (block.source_type === 'text' ? str(block.text) : undefined);
	if (block.source_type === 'text' && data !== undefined) return { type: 'text', text: data };
	const url = str(block.url) ?? str(source.url);
	if (data === undefined && url !== undefined) {
		if (block.type === 'image' || type.startsWith('image/')) return { type: 'image', url: imageUrl(url) };
		const inline = /^data:([^,;]*)/.exec(url);
		if (inline) return filePart(inline[1] || type, url, name);
		throw unusable(`A model server cannot fetch ${name === undefined ? 'a file' : `"${name}"`} from a URL`, 'Download it first and pass its data.');
	}
	if (data === undefined) throw unusable(`A ${String(block.type)} passed to the model holds no data`);
	return filePart(type, data, name);
}
