/** Texts of responses for each format of JSON: the value, or the issues that the model is told. */
import path from 'node:path';
import { createJsonError, validateJson } from '../../../../lib/chat/check/validate-json';
import type { ResponseFormat } from '../../../../lib/chat/settings';
import { expectApproved, joinPlaces } from '../../../support/approved/approved-table';

const schema = (of: object): ResponseFormat => ({
	type: 'jsonSchema',
	schema: of as Record<string, unknown>,
});

const FORMATS: Readonly<Record<string, ResponseFormat | undefined>> = {
	'no format': undefined,
	text: { type: 'text' },
	object: { type: 'jsonObject' },
	grammar: { type: 'grammar', grammar: 'x' },
	'an object with a number': schema({
		type: 'object',
		properties: { a: { type: 'number', minimum: 1, maximum: 5 } },
		required: ['a'],
		additionalProperties: false,
	}),
	'a list of choices': schema({
		type: 'array',
		items: { enum: ['x', 'y'] },
		minItems: 1,
		maxItems: 2,
		uniqueItems: true,
	}),
	'a text': schema({ type: 'string', minLength: 2, maxLength: 3, pattern: '^a' }),
	'a constant': schema({ const: 5 }),
	'one of two': schema({ oneOf: [{ type: 'integer' }, { type: 'number', minimum: 3 }] }),
	'not null': schema({ not: { type: 'null' } }),
	'a reference': schema({
		$ref: '#/$defs/n',
		$defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } }, required: ['id'] } },
	}),
	'a less strict check': {
		type: 'jsonSchema',
		schema: { type: 'object', required: ['a', 'b'] },
		validationSchema: { type: 'object', required: ['a'] },
	},
};

const TEXTS = [
	'{"a":1}',
	'{"a":0}',
	'{"a":6}',
	'{"a":"1"}',
	'{"a":1,"b":2}',
	'{}',
	'{"b":1}',
	'[]',
	'["x"]',
	'["x","x"]',
	'["x","y","x"]',
	'["z"]',
	'"ab"',
	'"a"',
	'"abcd"',
	'"bb"',
	'5',
	'4',
	'2',
	'null',
	'true',
	'{"id":1,"next":{"id":2}}',
	'{"id":1,"next":{}}',
	'Sure: {"a":1}',
	'```json\n{"a":1}\n```',
	'{"a":1} {"a":2}',
	"{'a': 1}",
	'{"a":1',
	'No',
	'',
	'{"a":12345678901234567890}',
];

test('each text matches each format, or not', () => {
	const outcomes = TEXTS.flatMap((text) =>
		Object.entries(FORMATS).map(([place, format]) => {
			const result = validateJson({ text, isCutOff: false }, format);
			const outcome =
				result?.type === 'valid'
					? [
							result.json === text ? 'valid' : `valid ${result.json}`,
							...result.unsafeNumbers,
							...result.unchecked,
						].join(' | ')
					: (result?.issues.join(' | ') ?? 'not checked');
			return { subject: JSON.stringify(text), place, outcome };
		}),
	);
	expectApproved(
		path.join(__dirname, 'validate-json.approved.txt'),
		joinPlaces(outcomes),
		'JSON counts if it has the requested form, and otherwise the model is told why not',
	);
});

test.each([
	{
		isCutOff: true,
		title: 'The JSON was cut off at the token limit',
		detail: 'The token limit was reached before the JSON was complete',
	},
	{
		isCutOff: false,
		title: 'The response is not the requested JSON',
		// The editor shows it without the title.
		detail: 'The response is not the requested JSON. Issues: lacks a',
	},
])(
	'the error has the text, and says whether it was cut off: $isCutOff',
	({ isCutOff, ...texts }) => {
		const error = createJsonError(
			{ text: 'No', reasoning: 'Hm', finishReason: 'stop' },
			{ url: 'http://gpu' },
			{ type: 'invalid', issues: ['lacks a'], isCutOff },
		);
		expect(error).toMatchObject({
			type: 'invalidResponse',
			message: texts.title,
			detail: texts.detail,
			partialText: 'No',
			partialReasoning: 'Hm',
			facts: { issues: ['lacks a'] },
		});
	},
);
