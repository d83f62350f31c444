/** Blocks of messages in the forms of OpenAI, LangChain and MCP, and the parts that are sent. */
import type { ContentPart } from '../../../lib/files/read-file';

export interface PartCase {
	name: string;
	block: unknown;
	/** What is sent. */
	part: ContentPart;
}

export interface ImageCase {
	name: string;
	block: object;
}

export interface RejectedFile {
	block: object;
	/** Title of the error. */
	message: string;
}

const PNG = 'data:image/png;base64,iVBORw0KGgo=';

const image = (url: string): ContentPart => ({ type: 'image', url });
const video = (url: string): ContentPart => ({ type: 'video', url });
const text = (value: string): ContentPart => ({ type: 'text', text: value, origin: 'foreign' });
const audio = (format: string): ContentPart => ({ type: 'audio', data: 'AAAA', format });

/** What is sent of the smallest PNG. */
export const IMAGE = image(PNG);

export const PARTS: PartCase[] = [
	// llama-server stops at the first character that is not base64.
	{
		name: 'base64 with line breaks',
		block: { type: 'image', data: 'iVBO\r\nRw0K\nGgo=' },
		part: IMAGE,
	},
	{ name: 'base64 with blanks', block: { type: 'image', data: ' iVBORw0K\tGgo= ' }, part: IMAGE },
	{
		name: 'base64url',
		block: { type: 'image', data: '-_-_AA==' },
		part: image('data:image/png;base64,+/+/AA=='),
	},
	{
		name: 'base64url without its end',
		block: { type: 'image', data: '-_-_AA' },
		part: image('data:image/png;base64,+/+/AA=='),
	},
	{ name: 'base64', block: { type: 'image', data: 'iVBORw0KGgo=' }, part: IMAGE },
	{ name: 'a data URL as an image URL', block: { type: 'image_url', image_url: PNG }, part: IMAGE },
	{
		name: 'a data URL with a name and line breaks',
		block: { type: 'image_url', image_url: ' data:image/PNG;name=a.png;base64,iVBO\nRw0KGgo= ' },
		part: IMAGE,
	},
	{
		name: 'a data URL in capitals, whose type is wrong',
		block: { type: 'image_url', image_url: 'DATA:image/jpeg;BASE64,iVBORw0KGgo=' },
		part: IMAGE,
	},
	{
		name: 'a data URL without a type',
		block: { type: 'image_url', image_url: 'data:;base64,iVBORw0KGgo=' },
		part: IMAGE,
	},
	{
		name: 'a URL with a comma',
		block: { type: 'image_url', image_url: 'https://example.com/a,b.png' },
		part: image('https://example.com/a,b.png'),
	},
	{
		name: 'a URL in capitals with blanks around it',
		block: { type: 'image_url', image_url: ' HTTP://example.com/a.png ' },
		part: image('HTTP://example.com/a.png'),
	},
	{
		name: 'a URL in an object',
		block: { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
		part: image('https://example.com/a.png'),
	},
	{
		name: 'a URL in a standard block',
		block: { type: 'image', source_type: 'url', url: 'https://example.com/a.png' },
		part: image('https://example.com/a.png'),
	},
	{
		name: 'a URL of a file',
		block: { type: 'file', mimeType: 'image/png', url: 'https://example.com/a.png' },
		part: image('https://example.com/a.png'),
	},
	{
		name: 'the content of a data URL counts, not the name of its block',
		block: { type: 'image_url', image_url: { url: 'data:text/plain;base64,SGVsbG8=' } },
		part: text('Hello'),
	},
	{
		name: 'audio with a format',
		block: { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
		part: audio('mp3'),
	},
	{
		name: 'audio as a data URL',
		block: { type: 'input_audio', input_audio: { data: 'data:audio/wav;base64,AAAA' } },
		part: audio('wav'),
	},
	{
		name: 'audio in a standard block',
		block: { type: 'audio', source_type: 'base64', mime_type: 'audio/mpeg', data: 'AAAA' },
		part: audio('mp3'),
	},
	{
		name: 'audio in a newer block, with a line break',
		block: { type: 'audio', mimeType: 'audio/x-wav', data: 'A\nAAA' },
		part: audio('wav'),
	},
	{ name: 'audio without a type', block: { type: 'audio', data: 'AAAA' }, part: audio('wav') },
	{
		name: 'a file with an audio type',
		block: { type: 'file', mime_type: 'audio/flac', data: 'AAAA' },
		part: audio('flac'),
	},
	{
		name: 'audio whose URL is a data URL',
		block: { type: 'audio', source_type: 'url', url: 'data:audio/aac;base64,AAAA' },
		part: audio('aac'),
	},
	{ name: 'plain text', block: 'plain', part: text('plain') },
	{ name: 'a text', block: { type: 'text', text: 'a' }, part: text('a') },
	{
		name: 'a text file',
		block: { type: 'file', mime_type: 'text/markdown; charset=utf-8', data: 'R3LDvMOfZQrwn6aZ' },
		part: text('Grüße\n🦙'),
	},
	{
		name: 'JSON',
		block: { type: 'file', mime_type: 'application/json', data: 'eyJhIjoxfQ==' },
		part: text('{"a":1}'),
	},
	{
		name: 'JSON of a special type',
		block: { type: 'file', mime_type: 'application/ld+json', data: 'R3LDvMOfZQrwn6aZ' },
		part: text('Grüße\n🦙'),
	},
	{
		name: 'XML',
		block: { type: 'file', mime_type: 'application/xml', data: 'R3LDvMOfZQrwn6aZ' },
		part: text('Grüße\n🦙'),
	},
	{
		name: 'a data URL with escapes',
		block: { type: 'file', url: 'data:text/plain,50%25%20off' },
		part: text('50% off'),
	},
	{
		name: 'a data URL with escapes and letters',
		block: { type: 'file', url: 'data:text/plain,Gr%C3%BC%C3%9Fe ü' },
		part: text('Grüße ü'),
	},
	{
		name: 'a text in the charset of its type',
		block: { type: 'file', mime_type: 'text/csv; charset="ISO-8859-1"', data: '/GJlcg==' },
		part: text('über'),
	},
	{
		name: 'UTF-16 with its mark, as Excel saves "Unicode text"',
		block: { type: 'file', mime_type: 'text/plain', data: '//78AGIAZQByAA==' },
		part: text('über'),
	},
	{
		name: 'a data URL with a percent sign that is no escape',
		block: { type: 'file', url: 'data:text/plain,50% off' },
		part: text('50% off'),
	},
	{
		name: 'a video in a newer block',
		block: { type: 'video', mimeType: 'video/mp4', data: 'AA\nAA' },
		part: video('data:video/mp4;base64,AAAA'),
	},
	{
		name: 'a video URL',
		block: { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } },
		part: video('data:video/mp4;base64,AAAA'),
	},
];

export const OMITTED_BLOCKS = [
	{ block: { type: 'thinking', thinking: 'hm' } },
	{ block: { type: 'tool_use', id: 'a', name: 'f', input: {} } },
	{ block: { type: 'reasoning', reasoning: 'hm' } },
	{ block: { type: 'text' } },
	{ block: null },
	{ block: 7 },
];

/** Each has the same PNG. */
export const IMAGE_BLOCKS: ImageCase[] = [
	{
		name: 'image_url as an object',
		block: { type: 'image_url', image_url: { url: PNG, detail: 'auto' } },
	},
	{ name: 'image_url as a string', block: { type: 'image_url', image_url: PNG } },
	{
		name: 'a standard block with base64',
		block: { type: 'image', source_type: 'base64', mime_type: 'image/png', data: 'iVBORw0KGgo=' },
	},
	{
		name: 'a standard block without a type',
		block: { type: 'image', source_type: 'base64', data: 'iVBORw0KGgo=' },
	},
	{
		name: 'a standard block with a data URL',
		block: { type: 'image', source_type: 'url', url: PNG },
	},
	{
		name: 'a newer standard block',
		block: { type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' },
	},
	{
		name: 'a file with an image type',
		block: { type: 'file', source_type: 'base64', mime_type: 'image/png', data: 'iVBORw0KGgo=' },
	},
	{
		name: 'a file with a data URL inside its data',
		block: { type: 'file', mimeType: 'application/octet-stream', data: PNG },
	},
	{
		name: 'a file as in OpenAI’s API',
		block: { type: 'file', file: { filename: 'a.png', file_data: PNG } },
	},
	{
		name: 'a line break in the data',
		block: { type: 'image', mimeType: 'image/png', data: 'iVBO\nRw0KGgo=' },
	},
];

export const REJECTED_FILES: RejectedFile[] = [
	{
		block: { type: 'file', mimeType: 'application/zip', data: 'AAAA', filename: 'a.zip' },
		message: 'Model servers cannot read the file "a.zip" (application/zip, 3 bytes)',
	},
	{
		block: { type: 'file', data: 'AAAA' },
		message: 'Model servers cannot read a file of type unknown',
	},
	{
		block: { type: 'file', file: { file_id: 'file-123' } },
		message: 'The file passed to the model is empty',
	},
	{ block: { type: 'image' }, message: 'The image passed to the model is empty' },
	{
		block: { type: 'image_url', image_url: {} },
		message: 'The image or video is neither an http(s) URL nor a data URL',
	},
	{ block: { type: 'input_audio', input_audio: {} }, message: 'An audio input is empty' },
	{ block: { type: 'image', data: 'photo.png' }, message: 'The data of a file is not base64' },
	{ block: { type: 'image', data: 'AAA=\nAAA=' }, message: 'The data of a file is not base64' },
	{
		block: { type: 'video_url', video_url: {} },
		message: 'The image or video is neither an http(s) URL nor a data URL',
	},
	{
		block: { type: 'file', url: 'https://example.com/a.txt', filename: 'a.txt' },
		message: 'Model servers cannot fetch "a.txt" from a URL',
	},
	{
		block: { type: 'video_url', video_url: { url: 'https://example.com/a.mp4' } },
		message: 'Model servers cannot fetch a file from a URL',
	},
	{
		block: { type: 'image_url', image_url: 'file:///etc/passwd' },
		message: 'The image or video is neither an http(s) URL nor a data URL',
	},
	{
		block: { type: 'image_url', image_url: 'data:image/png' },
		message: 'The image or video is neither an http(s) URL nor a data URL',
	},
	{
		block: { type: 'image_url', image_url: 'data:image/svg+xml,<svg/>' },
		message: 'Model servers cannot read a file of type image/svg+xml',
	},
	{
		block: { type: 'image_url', image_url: { url: 'data:application/pdf;base64,JVBERi0=' } },
		message: 'Model servers cannot read a file of type application/pdf',
	},
	{
		block: {
			type: 'file',
			source_type: 'base64',
			mime_type: 'application/pdf',
			data: 'JVBERi0=',
			metadata: { filename: 'offer.pdf' },
		},
		message: 'Model servers cannot read the file "offer.pdf" (application/pdf, 5 bytes)',
	},
	{
		block: {
			type: 'file',
			file: { filename: 'offer.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
		},
		message: 'Model servers cannot read the file "offer.pdf" (application/pdf, 5 bytes)',
	},
];
