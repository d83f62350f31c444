import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { describeEmptyExpression, findEmptyExpressions } from '../../../lib/n8n/empty-expressions';

const PROPERTIES = [
	{ displayName: 'Prompt', name: 'prompt', type: 'string', default: '' },
	{ displayName: 'Model', name: 'model', type: 'resourceLocator', default: '' },
] satisfies INodeProperties[];

const find = (prompt: unknown, ...items: IDataObject[]): string[] =>
	findEmptyExpressions({
		properties: PROPERTIES,
		stored: { prompt },
		items: items.map((json) => ({ json })),
	}).map(({ label, expression }) => `${label}: ${expression}`);

const MAIL = { text: 'Hi', from: { name: 'Ada' }, list: [1], none: null, blank: '' };

test.each([
	{ prompt: '=Mail: {{ $json.txet }}', empty: ['{{ $json.txet }}'] },
	{ prompt: '=Mail: {{$json["txet"]}}', empty: ['{{$json["txet"]}}'] },
	{ prompt: "=Mail: {{ $json['the text'] }}", empty: ["{{ $json['the text'] }}"] },
	{ prompt: '=From {{ $json.from.mail }}: {{ $json.text }}', empty: ['{{ $json.from.mail }}'] },
	{ prompt: '={{ $json.a }} {{ $json.b }}', empty: ['{{ $json.a }}', '{{ $json.b }}'] },
	{
		prompt: '=Mail: {{ $json.none }}{{ $json.blank }}',
		empty: ['{{ $json.none }}', '{{ $json.blank }}'],
	},
])('$prompt: the places that stay empty', ({ prompt, empty }) => {
	expect(find(prompt, MAIL)).toEqual(empty.map((expression) => `Prompt: ${expression}`));
});

test.each([
	'=Mail: {{ $json.text }}',
	'=From {{ $json.from.name }}',
	// A property of a text or a list.
	'=Characters: {{ $json.text.length }}, {{ $json.list.length }}',
	// Perhaps empty on purpose.
	'=Mail: {{ $json.note ?? "" }}',
	'=Mail: {{ $json.note || "none" }}',
	'=Mail: {{ $json.note?.trim() }}',
	// An optional value.
	'={{ $json.txet }}',
	// Fixed text is reported elsewhere.
	'Mail: {{ $json.txet }}',
	undefined,
	7,
])('%j: nothing is reported', (prompt) => {
	expect(find(prompt, MAIL)).toEqual([]);
});

test('a field that one of the items has is no mistake', () => {
	expect(find('=Mail: {{ $json.note }}', { text: 'a' }, { note: 'b' })).toEqual([]);
});

test('the hint names the field and the expression', () => {
	expect(describeEmptyExpression({ label: 'Prompt', expression: '{{ $json.txet }}' })).toBe(
		'The field "Prompt" contains {{ $json.txet }}, which is empty in every input item. Check the name in the expression.',
	);
});
