/** Values of fields: any value is one of the field's type, or an error with its label, and n8n evaluates each once. */
import * as fc from 'fast-check';

import type { FieldTable, ValueField, Values } from '../../../../lib/fields/field';
import { ServerError } from '../../../../lib/errors/server-error';
import { isRecord, isUnset } from '../../../../lib/values/records';
import type { FieldContext } from '../../../../nodes/shared/fields/item-source';
import { ItemSource } from '../../../../nodes/shared/fields/item-source';
import {
	findOrigin,
	getOrigin,
	isAdded,
	joinOrigins,
	readValues,
} from '../../../../nodes/shared/fields/read-values';
import { fakeContext } from '../../../support/n8n/context';

/** A field of each kind, with the rule for its values. */
interface KindRule {
	field: ValueField;
	/** Whether a value is one that the field gives. */
	fits(value: unknown): boolean;
	/** Whether the raw value is accepted. */
	accepts(raw: unknown): boolean;
}

const CHOICES = { a: 'A', b: ['B', 'The second one'] } as const;

const isNumeric = (raw: unknown): raw is string | number =>
	typeof raw === 'number' || (typeof raw === 'string' && raw.trim() !== '');
const isWithin = (raw: unknown, min: number, max: number) => {
	const number = isNumeric(raw) ? Number(raw) : NaN;
	return Number.isFinite(number) && number >= min && number <= max;
};
const isPlain = (raw: unknown) => typeof raw === 'string' || typeof raw === 'number';
const isJsonObject = (raw: unknown) => {
	if (typeof raw !== 'string') return isRecord(raw);
	try {
		return isRecord(raw.trim() === '' ? {} : JSON.parse(raw));
	} catch {
		return false;
	}
};
const isSwitch = (raw: unknown) =>
	typeof raw === 'string'
		? ['true', 'false', '1', '0'].includes(raw.trim().toLowerCase())
		: [true, false, 1, 0, -0].includes(raw as boolean);

const RULES: Readonly<Record<string, KindRule>> = {
	number: {
		field: { kind: 'number', label: 'Number', default: 1, range: [0.5, 10] },
		fits: (value) => isWithin(value, 0.5, 10),
		accepts: (raw) => isWithin(raw, 0.5, 10),
	},
	integer: {
		field: { kind: 'number', label: 'Integer', default: 1, range: [0], isInteger: true },
		fits: Number.isInteger,
		accepts: (raw) => isWithin(raw, 0, Infinity),
	},
	seconds: {
		field: { kind: 'seconds', label: 'Seconds', default: 1 },
		fits: (value) => typeof value === 'number' && value >= 0 && Math.round(value) === value,
		accepts: (raw) => isWithin(raw, 0, Infinity),
	},
	switch: {
		field: { kind: 'switch', label: 'Switch', default: true },
		fits: (value) => typeof value === 'boolean',
		accepts: isSwitch,
	},
	text: {
		field: { kind: 'text', label: 'Text' },
		fits: (value) => typeof value === 'string',
		accepts: () => true,
	},
	name: {
		field: { kind: 'name', label: 'Name' },
		fits: (value) => typeof value === 'string' && value === value.trim(),
		accepts: (raw) => isUnset(raw) || isPlain(raw),
	},
	locator: {
		field: { kind: 'locator', label: 'Locator', search: 'searchModels' },
		fits: (value) => typeof value === 'string' && value === value.trim(),
		accepts: (raw) => isUnset(raw) || isPlain(raw),
	},
	choice: {
		field: { kind: 'choice', label: 'Choice', default: 'a', choices: CHOICES },
		fits: (value) => value === 'a' || value === 'b',
		accepts: (raw) => raw === 'a' || raw === 'b',
	},
	choices: {
		field: { kind: 'choices', label: 'Choices', choices: CHOICES },
		fits: (value) =>
			Array.isArray(value) && value.every((entry: unknown) => entry === 'a' || entry === 'b'),
		accepts: (raw) =>
			[raw].flat().every((entry: unknown) => isUnset(entry) || entry === 'a' || entry === 'b'),
	},
	texts: {
		field: { kind: 'texts', label: 'Texts', button: 'Add Text' },
		fits: (value) =>
			Array.isArray(value) && value.every((entry: unknown) => typeof entry === 'string'),
		accepts: (raw) => [raw].flat(2).every((entry: unknown) => isUnset(entry) || isPlain(entry)),
	},
	json: {
		field: { kind: 'json', label: 'JSON', default: '{}' },
		fits: isRecord,
		accepts: isJsonObject,
	},
};

const ODD_VALUES = [
	...[undefined, null, '', ' ', '0', '0.4', '7', '7.9', '11', ' 1e3 ', '1e400', '٣', '１２'],
	...['true', 'No', 'a', 'a ', 'b', 'c', '__proto__', 'constructor', 'toString', '{"a":1}', '[1]'],
	...['{"a":', '{"__proto__":{"x":1}}', 'x'.repeat(300)],
	...[0, 0.4, 0.5, 7.9, 10, 10.1, -1, NaN, Infinity, true, false, {}, { a: 1 }, [], ['a', 'b']],
	...[['a', 'c'], [['a']], [null], new Array(100_000).fill('a')],
];

/** Any value that an expression may return. */
const anyRaw = fc.oneof(
	fc.constantFrom<unknown>(...ODD_VALUES),
	fc.anything({ withNullPrototype: true }),
	fc.json(),
	fc.double(),
	fc.string(),
);

/** The value of a field with this raw value, or its error. */
function read(rule: KindRule, raw: unknown, field: Partial<ValueField> = {}): unknown {
	const context: FieldContext = { getNodeParameter: () => raw };
	const fields = { field: { ...rule.field, ...field } as ValueField };
	return tryTo(() => readValues(new ItemSource(context, 0), fields).field);
}

function tryTo(run: () => unknown): unknown {
	try {
		return run();
	} catch (error) {
		return error;
	}
}

/** An error about what was entered, which names the field and says whether that is missing or wrong. */
function expectInputError(error: unknown, label: string, raw: unknown): void {
	expect(error).toBeInstanceOf(ServerError);
	expect(error).toMatchObject({
		type: 'invalidInput',
		field: label,
		inputProblem: isUnset(raw) ? 'empty' : 'wrong',
		message: expect.stringContaining(`The field "${label}" `) as string,
	});
	expect((error as ServerError).message.length).toBeLessThan(300);
}

describe.each(Object.entries(RULES))('a field of the kind %s', (_kind, rule) => {
	const { label } = rule.field;

	it('gives a value of its type, or an error with its label', () => {
		fc.assert(
			fc.property(anyRaw, (raw) => {
				const value = read(rule, raw);
				if (rule.accepts(raw)) expect([raw, rule.fits(value)]).toEqual([raw, true]);
				else expectInputError(value, label, raw);
			}),
		);
	});

	it('gives every odd value to the right side', () => {
		const wrong = ODD_VALUES.filter((raw) => {
			const value = read(rule, raw);
			return rule.accepts(raw) ? !rule.fits(value) : !(value instanceof ServerError);
		});
		expect(wrong).toEqual([]);
	});

	it('as an option has no value if its expression returned nothing', () => {
		const values = [null, '', undefined].map((raw) => {
			const context: FieldContext = { getNodeParameter: () => ({ field: raw }) };
			const fields = {
				options: {
					kind: 'options',
					label: 'Options',
					entry: 'Option',
					fields: { field: rule.field },
				},
			} as const satisfies FieldTable;
			return readValues(new ItemSource(context, 0), fields).options.field;
		});
		// An empty text is one: it replaces what applies otherwise.
		const empty = rule.field.kind === 'text' ? '' : undefined;
		expect(values).toEqual([empty, empty, undefined]);
	});
});

describe('a required field', () => {
	it.each(['text', 'name', 'locator', 'choices'])('of the kind %s needs a value', (kind) => {
		for (const raw of ['', null, undefined])
			expect(read(RULES[kind]!, raw, { required: true, whenEmpty: 'Fill it.' })).toMatchObject({
				message: `The field "${RULES[kind]!.field.label}" is empty`,
				inputProblem: 'empty',
				suggestion: 'Fill it.',
			});
	});

	it('of the kind text keeps its blanks', () => {
		expect(read(RULES.text!, ' a ', { required: true })).toBe(' a ');
		expect(read(RULES.text!, ' \n', { required: true })).toMatchObject({ inputProblem: 'empty' });
	});
});

describe('a number', () => {
	it.each([
		['7.9', 7],
		[' 2 ', 2],
		['1e3', 1000],
	])('%j of an integer is %d', (raw, number) => {
		expect(read(RULES.integer!, raw)).toBe(number);
	});

	it('of seconds is given in milliseconds', () => {
		expect([read(RULES.seconds!, '1.5'), read(RULES.seconds!, 0)]).toEqual([1500, 0]);
	});

	it('out of its range is an error with the range', () => {
		expect(read(RULES.number!, 11)).toMatchObject({
			message: 'The field "Number" must be a number from 0.5 to 10, but is 11',
			suggestion: 'Correct the field in the node.',
		});
	});
});

test('JSON to send keeps the digits of its numbers, and a name of an object is no prototype', () => {
	const value = read(RULES.json!, '{"a":12345678901234567890,"__proto__":{"x":1}}');
	expect(JSON.stringify(value)).toContain('"a":12345678901234567890');
	expect((value as Record<string, unknown>).x).toBeUndefined();
});

const ROOM = {
	query: { kind: 'text', label: 'Query', default: '={{ $json.text }}' },
	mode: { kind: 'choice', label: 'Mode', default: 'a', choices: CHOICES },
	depth: { kind: 'number', label: 'Depth', default: 3, shownIf: { mode: ['b'] } },
	model: { kind: 'locator', label: 'Model', search: 'searchModels' },
	files: {
		kind: 'rows',
		label: 'Files',
		entry: 'File',
		fields: {
			name: { kind: 'name', label: 'Name' },
			type: { kind: 'choice', label: 'Type', default: 'a', choices: CHOICES },
		},
	},
	options: {
		kind: 'options',
		label: 'Options',
		entry: 'Option',
		fields: {
			share: { kind: 'number', label: 'Share', default: 1, range: [0, 1] },
			more: { kind: 'json', label: 'More', default: '{}' },
			folder: { kind: 'locator', label: 'Folder', search: 'searchFolders' },
		},
	},
} as const satisfies FieldTable;

type RoomValues = Values<typeof ROOM>;

const readRoom = (given: Record<string, unknown>): RoomValues =>
	readValues(new ItemSource(fakeContext(given, {}).context, 0), ROOM);

describe('fields of a node', () => {
	it('that n8n does not store have their defaults, but never an expression as text', () => {
		const { query, mode, model, files, options } = readRoom({});
		expect([query, mode, model, files, options.share]).toEqual(['', 'a', '', [], undefined]);
	});

	it('that are not shown have no value, whatever is stored', () => {
		expect(readRoom({ mode: 'a', depth: 'x' }).depth).toBeUndefined();
		expect(readRoom({ mode: 'b', depth: 7 }).depth).toBe(7);
		expect(() => readRoom({ mode: 'b', depth: 'x' }).depth).toThrow('The field "Depth"');
	});

	it('that are a list or an ID are the ID, also in a collection', () => {
		const model = { __rl: true, mode: 'id', value: ' qwen ' };
		expect(readRoom({ model }).model).toBe('qwen');
		expect(readRoom({ options: { folder: model } }).options.folder).toBe('qwen');
	});

	it('that are a collection of another form are empty, as in n8n', () => {
		for (const options of ['{"share": 1}', [{ share: 1 }], 5, null])
			expect(readRoom({ options }).options.share).toBeUndefined();
	});

	it('that are rows have the default in a cell that is missing', () => {
		const { files } = readRoom({ files: { file: [{ name: 'a' }, { type: 'b' }] } });
		expect(files.map(({ name, type }) => [name, type])).toEqual([
			['a', 'a'],
			['', 'b'],
		]);
	});

	it('that are rows of any form are none, or errors when a cell is read', () => {
		fc.assert(
			fc.property(fc.oneof(anyRaw, fc.record({ file: anyRaw })), (files) => {
				const rows = tryTo(() => readRoom({ files }).files.map(({ name, type }) => [name, type]));
				if (rows instanceof ServerError) expect(['Name', 'Type']).toContain(rows.field);
				else expect(Array.isArray(rows)).toBe(true);
			}),
		);
	});

	it('that were added are known, even if their expression returned nothing', () => {
		const { options } = readRoom({ options: { share: undefined } });
		expect([isAdded(options, 'share'), isAdded(options, 'more')]).toEqual([true, false]);
		expect(options.share).toBeUndefined();
	});
});

describe('who wrote a value', () => {
	it.each([
		{ given: {}, query: undefined, share: undefined },
		{ given: { query: 'cats', options: { share: 1 } }, query: 'author', share: 'author' },
		{ given: { query: '', options: {} }, query: 'author', share: undefined },
		{
			given: { query: '={{ $json.q }}', options: { share: '={{ 1 }}' } },
			query: 'user',
			share: 'user',
		},
		{ given: { options: '={{ $json.options }}' }, query: undefined, share: 'user' },
		{
			given: { options: { more: '={{ $json.more }}', share: 1 } },
			query: undefined,
			share: 'author',
		},
		{ given: JSON.parse('{ "__proto__": { "query": "x" } }'), query: undefined, share: undefined },
	] as const)('of $given: $query, $share', ({ given, query, share }) => {
		const values = readRoom(given);
		const { options } = values;
		expect([findOrigin(values, 'query'), findOrigin(options, 'share')]).toEqual([query, share]);
		expect(getOrigin(values, 'query')).toBe(query ?? 'user');
	});

	it('is a user, if a cell of its row has an expression, or one of the other fields', () => {
		const file = [{ name: 'a' }, { name: '={{ $json.name }}' }];
		const values = readRoom({ files: { file }, query: 'cats' });
		expect(values.files.map((row) => getOrigin(row, 'name'))).toEqual(['user', 'user']);
		const query = findOrigin(values, 'query');
		const more = findOrigin(values.options, 'more');
		expect(joinOrigins(query, more)).toBe('author');
		expect(joinOrigins(query, more, findOrigin(values, 'files'))).toBe('user');
		expect([joinOrigins(more), joinOrigins()]).toEqual(['user', 'user']);
	});
});

describe('n8n evaluates', () => {
	/** A node with these parameters, which counts how often n8n resolves one. */
	function countReads(
		stored: Record<string, unknown>,
		getValue: (name: string, itemIndex: number) => unknown,
	) {
		const reads: string[] = [];
		const context: FieldContext = {
			getNode: () => ({ parameters: stored }),
			getNodeParameter: (name, itemIndex) => {
				reads.push(`${name} ${itemIndex}`);
				return getValue(name, itemIndex);
			},
		};
		return { context, reads };
	}

	it('each field of an item once, when it is read', () => {
		const { context, reads } = countReads(
			{ query: '={{ 1 }}', options: { share: '={{ 1 }}' } },
			() => ({
				share: 0.5,
			}),
		);
		const source = new ItemSource(context, 0);
		const values = readValues(source, ROOM);
		expect(reads).toEqual([]);
		const others = readValues(source, ROOM);
		void [values.query, values.query, others.query, values.options.share, others.options.share];
		expect(reads).toEqual(['query 0', 'options 0']);
	});

	it('a field without an expression once for all items, any other for each item', () => {
		const stored = { query: 'fixed', model: { value: ['={{ $json.x }}'] }, options: { share: 1 } };
		const { context, reads } = countReads(stored, (name, itemIndex) =>
			name === 'options' ? { share: 1 } : `${name} ${itemIndex}`,
		);
		const values = [0, 1].map((itemIndex) => {
			const { query, model, options } = readValues(new ItemSource(context, itemIndex), ROOM);
			return [query, model, options.share];
		});
		expect(values).toEqual([
			['query 0', 'model 0', 1],
			['query 0', 'model 1', 1],
		]);
		expect(reads).toEqual(['query 0', 'model 0', 'options 0', 'model 1']);
	});

	it('again what could not be evaluated, and keeps executions apart', () => {
		let fails = true;
		const first = countReads({ query: 'a' }, () => {
			if (fails) throw new Error('not yet');
			return 'a';
		});
		const readQuery = ({ context }: typeof first) =>
			readValues(new ItemSource(context, 0), ROOM).query;
		expect(() => readQuery(first)).toThrow('not yet');
		fails = false;
		const second = countReads({ query: 'b' }, () => 'b');
		expect([first, second, first].map(readQuery)).toEqual(['a', 'b', 'a']);
	});
});
