/** What the compiler says about a wrong name, a wrong type and a field of another operation: `npm run typecheck` checks it. */
import type { FieldTable, OptionValues, Values } from '../../../../lib/fields/field';
import type { FieldContext } from '../../../../nodes/shared/fields/item-source';
import { ItemSource } from '../../../../nodes/shared/fields/item-source';
import { getOrigin, isAdded, readValues } from '../../../../nodes/shared/fields/read-values';
import { defineOperation } from '../../../../nodes/shared/items/define-operation';

const thinking = {
	kind: 'choice',
	label: 'Thinking',
	default: 'on',
	choices: { on: 'On', off: ['Off', 'Responds immediately'] },
} as const;

const FIELDS = {
	thinking,
	prompt: { kind: 'text', label: 'Prompt', required: true },
	note: { kind: 'notice', label: 'Read this' },
	budget: {
		kind: 'number',
		label: 'Thinking Token Budget',
		default: 1024,
		shownIf: { thinking: ['on'] },
	},
	rows: {
		kind: 'rows',
		label: 'Rows',
		entry: 'Row',
		fields: { cell: { kind: 'name', label: 'Cell' } },
	},
	options: {
		kind: 'options',
		label: 'Options',
		entry: 'Option',
		fields: {
			thinking,
			wait: { kind: 'seconds', label: 'Wait (Seconds)', default: 1 },
			even: {
				kind: 'number',
				label: 'Even',
				default: 2,
				parse: (value: unknown): 'odd' | 'even' => (Number(value) % 2 === 0 ? 'even' : 'odd'),
			},
		},
	},
} as const satisfies FieldTable;

const CONTEXT: FieldContext = {
	getNodeParameter: (name, _item, fallback) => {
		if (name === 'options') return { thinking: 'off', wait: 2, even: 3 };
		return name === 'rows' ? { row: [{ cell: ' a ' }] } : name === 'prompt' ? 'Hi' : fallback;
	},
};

/** A value whose type is exactly `T`: more is no less a mistake than less. */
type Exactly<T, V> =
	(<X>() => X extends T ? 1 : 2) extends <X>() => X extends V ? 1 : 2 ? true : false;

const isExactly = <T, V>(isSame: Exactly<T, V>): boolean => isSame;

test('a value has the type of its field', () => {
	const values = readValues(new ItemSource(CONTEXT, 0), FIELDS);
	const { options } = values;
	expect([
		isExactly<'on' | 'off', typeof values.thinking>(true),
		isExactly<string, typeof values.prompt>(true),
		isExactly<number | undefined, typeof values.budget>(true),
		isExactly<'on' | 'off' | undefined, typeof options.thinking>(true),
		isExactly<number | undefined, typeof options.wait>(true),
		isExactly<'odd' | 'even' | undefined, typeof options.even>(true),
		isExactly<OptionValues<typeof FIELDS.options.fields>, typeof options>(true),
	]).not.toContain(false);
	const cells: string[] = values.rows.map(({ cell }) => cell);
	expect([values.thinking, values.prompt, values.budget, cells]).toEqual(['on', 'Hi', 1024, ['a']]);
	expect([options.thinking, options.wait, options.even]).toEqual(['off', 2000, 'odd']);
});

test('a mistake does not compile', () => {
	const values = readValues(new ItemSource(CONTEXT, 0), FIELDS);
	expect([
		// @ts-expect-error A misspelt name: Property 'promt' does not exist … Did you mean 'prompt'?
		values.promt,
		// @ts-expect-error A misspelt option.
		values.options.thinkin,
		// @ts-expect-error A notice has no value.
		values.note,
		// @ts-expect-error A misspelt option, by its name.
		isAdded(values.options, 'thinkin'),
		// @ts-expect-error A misspelt option, whose author is asked for.
		getOrigin(values.options, 'thinkin'),
		// @ts-expect-error A misspelt cell.
		values.rows[0]?.cel,
		// @ts-expect-error A choice that is none: This comparison appears to be unintentional …
		values.thinking === 'maybe',
	]).toEqual([undefined, undefined, undefined, false, 'user', undefined, false]);
	// @ts-expect-error A wrong type: Type 'string' is not assignable to type 'number'.
	const length: number = values.prompt;
	// @ts-expect-error An option may be missing: Type 'undefined' is not assignable to type 'number'.
	const wait: number = values.options.wait;
	// @ts-expect-error Values do not change.
	const change = () => (values.prompt = 'other');
	expect([length, wait, typeof change]).toEqual(['Hi', 2000, 'function']);
});

test('a field of another operation does not compile', () => {
	type Embed = Values<{ readonly text: { readonly kind: 'text'; readonly label: 'Text' } }>;
	const readText = ({ text }: Embed) => text;
	// @ts-expect-error Property 'text' is missing …
	const take = (values: Values<typeof FIELDS>) => readText(values);
	const other = defineOperation({
		name: 'Other',
		value: 'other',
		fields: FIELDS,
		// @ts-expect-error A main field that it does not have.
		mainFields: ['text'],
		execute: async ({ values }) => {
			// @ts-expect-error A field of Embed: Property 'text' does not exist …
			return { json: { text: values.text } };
		},
	});
	// @ts-expect-error A definition with a misspelt property.
	const wrong: FieldTable = { count: { kind: 'number', label: 'Count', default: 1, rang: [1] } };
	expect([typeof take, other.value, Object.keys(wrong)]).toEqual(['function', 'other', ['count']]);
});
