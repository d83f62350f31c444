import { parseContentPart, parseToolResult } from '../../../lib/chat/content';
import { ServerError } from '../../../lib/errors/server-error';
import fc from 'fast-check';
import { convertMessages } from '../../../lib/chat/prepare/convert-messages';
import { IMAGE, IMAGE_BLOCKS, OMITTED_BLOCKS, PARTS, REJECTED_FILES } from './content.cases';
import { toInput } from '../../support/texts/messages';

const parse = (block: unknown) => parseContentPart({ block, origin: 'foreign' });

function getRejection(block: unknown): ServerError {
	try {
		parse(block);
	} catch (error) {
		if (error instanceof ServerError) return error;
	}
	throw new Error(`${JSON.stringify(block)} was not rejected`);
}

test.each(PARTS)('the part that is sent of $name', ({ block, part }) => {
	const input = JSON.stringify(block);
	expect({ input, part: parse(block) }).toEqual({ input, part });
});

test.each(OMITTED_BLOCKS)('$block is omitted', ({ block }) => {
	expect(parse(block)).toBeUndefined();
});

test.each(IMAGE_BLOCKS)('$name is sent as an image', ({ block }) => {
	const input = JSON.stringify(block);
	expect({ input, part: parse(block) }).toEqual({ input, part: IMAGE });
});

test.each(REJECTED_FILES)('a block is rejected: $message', ({ block, message }) => {
	const { type, message: title } = getRejection(block);
	const input = JSON.stringify(block);
	expect({ input, type, title }).toEqual({ input, type: 'invalidInput', title: message });
});

test('a rejected PDF has a suggestion', () => {
	const pdf = { type: 'file', mime_type: 'application/pdf', data: 'JVBERi0=' };
	expect(getRejection(pdf).suggestion).toContain('Extract From File');
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
	const result = (toolCallId: string, content: unknown) =>
		toInput({ type: 'tool', toolCallId, content });
	const messages = convertMessages(
		[
			toInput({ type: 'human', content: 'What is there?' }),
			toInput({ type: 'ai', content: '', toolCalls: [call('a'), call('b')] }),
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

/** Files of a tool that no model server reads as an image. */
const UNREADABLE = {
	HEIC: Buffer.concat([
		Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
		Buffer.alloc(400),
	]),
	AVIF: Buffer.concat([Buffer.from('\0\0\0\x1cftypavif\0\0\0\0avif', 'latin1'), Buffer.alloc(400)]),
	PDF: Buffer.from(`%PDF-1.7\n${'1 0 obj\n'.repeat(60)}`),
	SVG: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${'<g/>'.repeat(99)}</svg>`),
	'a web page': Buffer.from(`<!DOCTYPE html>${'<p>Sign in</p>'.repeat(30)}`),
	'damaged bytes': Buffer.alloc(400, 7),
};

describe.each(Object.entries(UNREADABLE))('%s as the image of a tool', (_, bytes) => {
	const data = bytes.toString('base64');

	it.each([
		{ type: 'image', data, mimeType: 'image/png' },
		{ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${data}` } },
		{ type: 'image_url', image_url: `data:image/png;base64,${data}` },
		{ type: 'image', source_type: 'base64', mime_type: 'image/png', data },
	])('is named, and its data are no text for the model: $type', (block) => {
		const { text, images } = parseToolResult(JSON.stringify({ content: [block] }));
		expect(images).toEqual([]);
		expect(text).toMatch(/^\[Image left out: Model servers cannot read a file of type image\/\w+/);
		expect(text).not.toContain(data.slice(0, 40));
	});
});

it.each([
	{ type: 'image_url', image_url: { url: 'data:image/png;base64,' } },
	{ type: 'image', source_type: 'base64', mime_type: 'image/jpeg', data: '' },
	{ type: 'file', mime_type: 'text/plain', data: '', metadata: { filename: 'a.txt' } },
	{ type: 'input_audio', input_audio: { data: '', format: 'wav' } },
])('a file without content is rejected: $type', (block) => {
	expect(() => parse(block)).toThrow(/has no content$/);
});

it.each([
	'{"type":"image","alt":"no data"}',
	JSON.stringify({ type: 'image', data: 'the cat sits on the mat' }),
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
