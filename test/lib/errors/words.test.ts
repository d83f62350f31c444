import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { ERROR_WORDS, findTypeByWords } from '../../../lib/errors/words';
import { fixture } from '../../support/servers/streams';
import { SEEN_SENTENCES } from './words.cases';

test.each(SEEN_SENTENCES)('$source: "$message" is an error of type $type', (seen) => {
	const { type, status, message } = seen;
	const body = JSON.stringify({ error: { message } });
	const error = classifyErrorResponse({ status, body }, { model: 'other' });
	expect({ message, type: error.type }).toEqual({ message, type });
});

test('each row is needed: without it, one of its sentences has another type', () => {
	const needless = ERROR_WORDS.filter((row) => {
		const others = ERROR_WORDS.filter((other) => other !== row);
		return !SEEN_SENTENCES.some(
			({ type, status, message }) =>
				type === row.type && findTypeByWords(message, status, others) !== type,
		);
	});
	expect(needless.map(({ type }) => type)).toEqual([]);
	expect(ERROR_WORDS.length).toBeLessThanOrEqual(12);
});

test('each source that a row cites has a sentence here, and each sentence a row', () => {
	const cited = ERROR_WORDS.flatMap(({ type, seen }) => seen.map((source) => `${type}: ${source}`));
	expect(SEEN_SENTENCES.map(({ type, source }) => `${type}: ${source}`)).toEqual(cited);
});

test.each(SEEN_SENTENCES.filter(({ source }) => /\.(?:http|json)$/.test(source)))(
	'the recording $source contains "$message"',
	({ source, message }) => {
		const text = Buffer.from(fixture(source)).toString().replaceAll('\\', '');
		expect(text).toContain(message);
	},
);

test.each([
	['an error that mentions what loads', 500, 'error while loading the plugin'],
	['a field of the request', 400, "'context_size' must be a number"],
	['grammar and tools together', 400, 'Cannot specify grammar with tools'],
	['an option of the response', 400, 'This server does not support embeddings options'],
	['a missing file', 404, 'File Not Found'],
	['a failed start', 500, 'grpc service not ready'],
])('%s is no cause of the table', (_name, status, message) => {
	expect(findTypeByWords(message, status)).toBeUndefined();
});
