import { parseContentPart, parseToolResult } from '../../../lib/chat/content';
import { ServerError } from '../../../lib/errors/server-error';
import fc from 'fast-check';
import { convertMessages } from '../../../lib/chat/convert-messages';
import { readCases } from '../../support/rows';

function getRejection(block: unknown): ServerError {
	try {
		parseContentPart(block);
	} catch (error) {
		if (error instanceof ServerError) return error;
	}
	throw new Error('was not rejected');
}

const PNG = 'iVBORw0KGgo=';
const IMAGE = { type: 'image', url: `data:image/png;base64,${PNG}` };

it.each([
	['iVBO\r\nRw0K\nGgo=', PNG],
	[' iVBORw0K\tGgo= ', PNG],
	['-_-_AA==', '+/+/AA=='],
	['-_-_AA', '+/+/AA=='],
	[PNG, PNG],
])(
	'base64: case 93: %j is normalized, because llama-server stops at the first invalid character',
	(data, expected) => {
		expect(parseContentPart({ type: 'image', data })).toEqual({
			type: 'image',
			url: `data:image/png;base64,${expected}`,
		});
	},
);

describe('image URLs', () => {
	it.each([
		[`data:image/png;base64,${PNG}`, `data:image/png;base64,${PNG}`],
		[' data:image/PNG;name=a.png;base64,iVBO\nRw0KGgo= ', `data:image/png;base64,${PNG}`],
		[`DATA:image/jpeg;BASE64,${PNG}`, `data:image/png;base64,${PNG}`],
		[`data:;base64,${PNG}`, `data:image/png;base64,${PNG}`],
		['https://example.com/a,b.png', 'https://example.com/a,b.png'],
		[' HTTP://example.com/a.png ', 'HTTP://example.com/a.png'],
	])('case 93: %j', (given, expected) => {
		expect(parseContentPart({ type: 'image_url', image_url: given })).toEqual({
			type: 'image',
			url: expected,
		});
	});

	it.each([
		['file:///etc/passwd', 'The image or video is neither an http(s) URL nor a data URL'],
		['data:image/png', 'The image or video is neither an http(s) URL nor a data URL'],
		['data:image/svg+xml,<svg/>', 'Model servers cannot read a file of type image/svg+xml'],
	])('%j is rejected', (given, message) => {
		expect(() => parseContentPart({ type: 'image_url', image_url: given })).toThrow(message);
	});
});

describe('images in every form that LangChain and n8n use', () => {
	it.each(readCases<[string, object]>('test/lib/chat/image-blocks.tsv'))('%s', (_what, block) => {
		expect(parseContentPart(block)).toEqual(IMAGE);
	});

	it.each<[unknown]>([
		[{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }],
		[{ type: 'image', source_type: 'url', url: 'https://example.com/a.png' }],
		[{ type: 'file', mimeType: 'image/png', url: 'https://example.com/a.png' }],
	])('a URL is passed to the server: %j', (block) => {
		expect(parseContentPart(block)).toEqual({ type: 'image', url: 'https://example.com/a.png' });
	});

	it('the content of a data URL counts, not the name of its block', () => {
		const text = Buffer.from('Hello').toString('base64');
		expect(
			parseContentPart({ type: 'image_url', image_url: { url: `data:text/plain;base64,${text}` } }),
		).toEqual({
			type: 'text',
			text: 'Hello',
		});
		expect(
			getRejection({
				type: 'image_url',
				image_url: { url: 'data:application/pdf;base64,JVBERi0=' },
			}).message,
		).toContain('cannot read a file of type application/pdf');
	});
});

describe('audio', () => {
	const WAV = 'AAAA';
	it.each<[unknown, string]>([
		[{ type: 'input_audio', input_audio: { data: WAV, format: 'mp3' } }, 'mp3'],
		[{ type: 'input_audio', input_audio: { data: `data:audio/wav;base64,${WAV}` } }, 'wav'],
		[{ type: 'audio', source_type: 'base64', mime_type: 'audio/mpeg', data: WAV }, 'mp3'],
		[{ type: 'audio', mimeType: 'audio/x-wav', data: 'A\nAAA' }, 'wav'],
		[{ type: 'audio', data: WAV }, 'wav'],
		[{ type: 'file', mime_type: 'audio/flac', data: WAV }, 'flac'],
		[{ type: 'audio', source_type: 'url', url: `data:audio/aac;base64,${WAV}` }, 'aac'],
	])('%j', (block, format) => {
		expect(parseContentPart(block)).toEqual({ type: 'audio', data: WAV, format });
	});
});

describe('text', () => {
	const base64 = Buffer.from('Grüße\n🦙').toString('base64');
	it.each<[unknown, string]>([
		['plain', 'plain'],
		[{ type: 'text', text: 'a' }, 'a'],
		[{ type: 'file', mime_type: 'text/markdown; charset=utf-8', data: base64 }, 'Grüße\n🦙'],
		[
			{
				type: 'file',
				mime_type: 'application/json',
				data: Buffer.from('{"a":1}').toString('base64'),
			},
			'{"a":1}',
		],
		[{ type: 'file', mime_type: 'application/ld+json', data: base64 }, 'Grüße\n🦙'],
		[{ type: 'file', mime_type: 'application/xml', data: base64 }, 'Grüße\n🦙'],
		[{ type: 'file', url: 'data:text/plain,50%25%20off' }, '50% off'],
		[{ type: 'file', url: 'data:text/plain,Gr%C3%BC%C3%9Fe ü' }, 'Grüße ü'],
		[{ type: 'file', mime_type: 'text/csv; charset="ISO-8859-1"', data: '/GJlcg==' }, 'über'],
		// UTF-16 with its mark, as Excel saves "Unicode text".
		[{ type: 'file', mime_type: 'text/plain', data: '//78AGIAZQByAA==' }, 'über'],
		[{ type: 'file', url: 'data:text/plain,50% off' }, '50% off'],
	])('%j', (block, text) => {
		expect(parseContentPart(block)).toEqual({ type: 'text', text });
	});

	it.each([
		[{ type: 'thinking', thinking: 'hm' }],
		[{ type: 'tool_use', id: 'a', name: 'f', input: {} }],
		[{ type: 'reasoning', reasoning: 'hm' }],
		[{ type: 'text' }],
		[null],
		[7],
	])('%j is omitted', (block) => {
		expect(parseContentPart(block)).toBeUndefined();
	});
});

describe('files for model servers', () => {
	it.each<[unknown, string]>([
		[
			{
				type: 'file',
				source_type: 'base64',
				mime_type: 'application/pdf',
				data: 'JVBERi0=',
				metadata: { filename: 'offer.pdf' },
			},
			'the file "offer.pdf" (application/pdf, 5 bytes)',
		],
		[
			{
				type: 'file',
				file: { filename: 'offer.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
			},
			'the file "offer.pdf" (application/pdf, 5 bytes)',
		],
	])('a PDF is rejected with a suggestion and its file name: %j', (block, name) => {
		const error = getRejection(block);
		expect(error.type).toBe('invalidInput');
		expect(error.message).toBe(`Model servers cannot read ${name}`);
		expect(error.suggestion).toContain('Extract From File');
	});

	it.each([
		{ type: 'video', mimeType: 'video/mp4', data: 'AA\nAA' },
		{ type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } },
	])('a video: %j', (block) => {
		expect(parseContentPart(block)).toEqual({ type: 'video', url: 'data:video/mp4;base64,AAAA' });
	});

	it.each(readCases<[object, string]>('test/lib/chat/rejected-files.tsv'))(
		'%j',
		(block, message) => {
			expect(getRejection(block)).toMatchObject({ type: 'invalidInput', message });
		},
	);
});

const DATA =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC';
const URL = `data:image/png;base64,${DATA}`;
const IMAGES: Array<[string, object]> = [
	['MCP', { type: 'image', data: DATA, mimeType: 'image/png' }],
	['OpenAI', { type: 'image_url', image_url: { url: URL } }],
	['LangChain', { type: 'image', source_type: 'base64', mime_type: 'image/png', data: DATA }],
];

describe.each(IMAGES)('an image in a tool result in the format of %s', (_name, block) => {
	const text = { type: 'text', text: 'Found:' };

	it.each([
		['blocks', [text, block]],
		['JSON text of blocks', JSON.stringify([text, block])],
		['the result of an MCP tool', { content: [text, block] }],
		['JSON text of that', JSON.stringify({ content: [text, block] })],
		['the result as passed by agent 3.1', JSON.stringify([{ response: [text, block] }])],
		[
			'a text result as passed by agent 3.1',
			JSON.stringify([{ response: JSON.stringify([text, block]) }]),
		],
	])('in %s is an image', (_form, content) => {
		expect(parseToolResult(content)).toEqual({
			text: 'Found:\n[Image 1, below]',
			images: [{ type: 'image', url: URL }],
		});
	});
});

it('the image is sent in a user message after the results of the turn', () => {
	const call = (id: string) => ({ id, name: 'look', args: {} });
	const result = (toolCallId: string, content: unknown) => ({
		type: 'tool' as const,
		toolCallId,
		content,
	});
	const messages = convertMessages(
		[
			{ type: 'human', content: 'What is there?' },
			{ type: 'ai', content: '', toolCalls: [call('a'), call('b')] },
			result('a', [IMAGES[0]![1]]),
			result('b', 'nothing'),
		],
		'never',
	);
	expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'user']);
	expect(messages.at(-1)).toMatchObject({
		content: [{ type: 'text' }, { type: 'image', url: URL }],
	});
	expect(JSON.stringify(messages.slice(0, -1))).not.toContain(DATA);
});

it.each([
	'{"type":"image","alt":"no data"}',
	'[{"type":"image_url"}]',
	'The word "image" in a text',
	'"image',
	JSON.stringify({ items: [{ type: 'image', data: DATA }] }),
])('text that only resembles an image is unchanged: %s', (content) => {
	expect(parseToolResult(content)).toEqual({ text: content, images: [] });
});

it('all other text is unchanged', () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.json()), (content) => {
			expect(parseToolResult(content)).toEqual({ text: content, images: [] });
		}),
	);
});
