import {
	readText,
	StreamParser,
	TextCount,
	TooMuchTextError,
} from '../../../lib/http/response-body';
import { testLimit, textOfBytes } from '../../support/limits';
import { Readable } from 'node:stream';

const bytesOf = (text: string) => new TextEncoder().encode(text);

testLimit('lib/http/response-body.ts#MAX_TEXT_LENGTH', {
	limit: 2_097_152,
	outcome: (length) => {
		const count = new TextCount();
		try {
			count.add(1);
			count.add(length - 1);
			return 'counted';
		} catch (error) {
			return error instanceof TooMuchTextError ? 'too much' : 'other';
		}
	},
	within: 'counted',
	beyond: 'too much',
});
describe.each([
	['ASCII', 'a'],
	['wide characters', '界'],
])('an event of %s', (_of, character) => {
	testLimit('lib/http/response-body.ts#MAX_EVENT_LENGTH', {
		limit: 2_097_152,
		outcome: (length) => {
			const parser = new StreamParser('events');
			try {
				parser.push(bytesOf('data: '));
				parser.push(bytesOf(character.repeat(length - 'data: '.length)));
				return 'read';
			} catch {
				return 'too large';
			}
		},
		within: 'read',
		beyond: 'too large',
	});
});
testLimit('lib/http/response-body.ts#MAX_PAGE_LENGTH', {
	limit: 65_536,
	outcome: (length) => {
		const parser = new StreamParser('events');
		parser.push(bytesOf('<html>'.padEnd(length - 1, '界')));
		parser.push(bytesOf('!'));
		return parser.page!.endsWith('!');
	},
	within: true,
	beyond: false,
});
testLimit('lib/http/response-body.ts#MAX_NON_EVENT_LINES', {
	limit: 20,
	outcome: (count) => {
		const parser = new StreamParser('events');
		for (let at = 1; at <= count; at++) parser.push(bytesOf(`error ${at}\n`));
		return parser.nonEventLines.includes(`error ${count}`);
	},
	within: true,
	beyond: false,
});
testLimit('lib/http/response-body.ts#MAX_NON_EVENT_LINE_LENGTH', {
	limit: 500,
	outcome: (length) => {
		const parser = new StreamParser('events');
		parser.push(bytesOf(`${'界'.repeat(length - 1)}!\n`));
		return parser.nonEventLines[0]!.endsWith('!');
	},
	within: true,
	beyond: false,
});

describe('a body of bytes, not of characters', () => {
	test.each([99, 100, 101])('%s of 100', async (bytes) => {
		const body = Readable.from([bytesOf(textOfBytes(bytes))]);
		const text = await readText(body, 100).catch((error: Error) => error.name);
		expect(text).toBe(bytes > 100 ? 'BodyTooLargeError' : textOfBytes(bytes));
	});
});
