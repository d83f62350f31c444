import fc from 'fast-check';

import { createListError, toListEntries } from '../../../lib/n8n/list-entries';
import { NodeOperationError } from 'n8n-workflow';
import type { INode } from 'n8n-workflow';
import { createServerError } from '../../../lib/errors/create-error';

const UNSAFE = /<[a-z/!?]|[\u202a-\u202e\u2066-\u2069]|(?![\t\n\r])\p{Cc}/iu;

test('names of a list are plain text, and neither names nor values are expressions', () => {
	const sign = fc.constantFrom(
		'<',
		'img',
		'>',
		'/',
		'=',
		'{{',
		'}}',
		'\u202e',
		'\0',
		'\u001b',
		'a',
	);
	const text = fc.array(sign, { maxLength: 8 }).map((signs) => signs.join(''));
	const entry = fc.record({ name: text, value: fc.oneof(text, fc.integer()), description: text });
	fc.assert(
		fc.property(fc.array(entry), (entries) => {
			const listed = toListEntries(entries);
			const expected = entries.filter(({ value }) => !String(value).startsWith('='));
			expect(listed.map(({ value }) => value)).toEqual(expected.map(({ value }) => value));
			for (const { name } of listed) expect(name).not.toMatch(/^=/);
			for (const { name, description = '' } of listed)
				expect(`${name}\n${description}`).not.toMatch(UNSAFE);
		}),
	);
	expect(toListEntries([{ name: 'a', value: 'b' }])).toEqual([{ name: 'a', value: 'b' }]);
});

const node = { name: 'Node', type: 'node', typeVersion: 1, parameters: {} } as unknown as INode;

/** Replacements of n8n 2.41's editor in the error message of a list (ResourceLocator.vue). */
const displayedText = (message: string) =>
	(/[-–—]/.test(message) ? message.split(/\s*[-–—]\s*/) : message.split(/(?<=[.!?])\s+/))
		.join(' ')
		.trim();

it('puts the whole text into the message, and keeps hyphens in the editor', () => {
	const title = 'Nothing listens on my-server:8080';
	const error = createListError(
		node,
		createServerError(
			'connectionRefused',
			{},
			{ inputWords: { title, suggestion: 'Start it with --host 0.0.0.0.' } },
		),
	);
	expect(displayedText(error.message)).toBe(
		'Nothing listens on my‑server:8080. Start it with ‑‑host 0.0.0.0.',
	);
});

it('keeps the message of errors from other code', () => {
	expect(createListError(node, new NodeOperationError(node, 'No model')).message).toBe('No model');
	expect(createListError(node, new Error('a bug')).message).toBe('a bug');
});

it('omits the URL if the text names the server already, and always its query', () => {
	const of = (title: string, url: string) =>
		createListError(
			node,
			createServerError(
				'connectionRefused',
				{ url },
				{ inputWords: { title, suggestion: 'Mend it.' } },
			),
		).message;
	expect(
		of('Nothing listens on 10.0.0.7:8080, seen from n8n', 'http://10.0.0.7:8080/v1/models'),
	).toBe('Nothing listens on 10.0.0.7:8080, seen from n8n. Mend it.');
	expect(of('There is nothing at this address', 'http://10.0.0.7:8080/v1/models')).toBe(
		'There is nothing at this address. Mend it. URL: http://10.0.0.7:8080/v1/models',
	);
	expect(
		of('Dify rejected the API key', 'http://10.0.0.7/v1/conversations?user=anna&limit=100'),
	).toBe('Dify rejected the API key. Mend it. URL: http://10.0.0.7/v1/conversations');
});
