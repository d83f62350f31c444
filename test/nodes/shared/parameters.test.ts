import * as fc from 'fast-check';
import { NodeHelpers } from 'n8n-workflow';
import type { INodeProperties, INodeType } from 'n8n-workflow';
import { ServerError } from '../../../lib/errors/server-error';
import {
	NodeParameters,
	asChoice,
	asNumber,
	asObject,
	asBoolean,
	asText,
	findField,
	quoteValue,
	createEmptyFieldError,
	createFieldError,
} from '../../../nodes/shared/parameters';
import { isUnset } from '../../../lib/values/records';
import { PROPERTIES } from './properties';
import { fakeContext } from '../../support/n8n/context';
import { optionsCollection } from '../../../nodes/shared/field-builders';
import { everyOperation } from '../../support/n8n/every-operation';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const read = (given: Record<string, unknown>) =>
	new NodeParameters(fakeContext(given, {}).context, 0, PROPERTIES);
const options = (given: Record<string, unknown>) => read({ options: given });

/** Reads the option of each type. */
const READERS = {
	share: (parameters: NodeParameters) => parameters.number('options.share'),
	count: (parameters: NodeParameters) => parameters.number('options.count'),
	wait: (parameters: NodeParameters) => parameters.milliseconds('options.wait'),
	fast: (parameters: NodeParameters) => parameters.boolean('options.fast'),
	more: (parameters: NodeParameters): unknown => parameters.object('options.more'),
	include: (parameters: NodeParameters) => parameters.choices('options.include'),
};

function refusal(run: () => unknown): string {
	const error = errorOf(run);
	expect(error).toBeInstanceOf(ServerError);
	expect(error).toMatchObject({ type: 'invalidInput' });
	return (error as ServerError).message;
}

function errorOf(run: () => unknown): unknown {
	try {
		run();
		return undefined;
	} catch (error) {
		return error;
	}
}

describe('a value', () => {
	it.each([
		[
			'of the right type is accepted',
			{ share: 0.5, count: 3, wait: 1.5, fast: false, more: { a: 1 }, include: ['x'] },
			{ share: 0.5, count: 3, wait: 1500, fast: false, more: { a: 1 }, include: ['x'] },
		],
		[
			'as text is parsed',
			{ share: ' 0.5 ', count: '3.9', wait: '2', fast: 'False', more: '{"a":1}', include: 'y' },
			{ share: 0.5, count: 3, wait: 2000, fast: false, more: { a: 1 }, include: ['y'] },
		],
	])('a value %s', (_what, given, expected) => {
		const values = Object.entries(READERS).map(([name, take]) => [name, take(options(given))]);
		expect(Object.fromEntries(values)).toEqual(expected);
	});

	it.each([undefined, null, ''])(
		'of an expression that returns %p counts as not added',
		(value) => {
			const parameters = options({ share: value, fast: value, include: value, more: value });
			expect(parameters.number('options.share', 7)).toBe(7);
			expect(parameters.boolean('options.fast', true)).toBe(true);
			expect(parameters.choices('options.include')).toEqual([]);
			expect(parameters.object('options.more', undefined)).toBeUndefined();
		},
	);

	it('of a hidden field is its default, but never an expression as text', () => {
		expect(read({}).choice('kind')).toBe('a');
		expect(read({ kind: 'b' }).choice('kind')).toBe('b');
		expect(read({}).rawString('query')).toBe('');
		expect(read({}).string('model')).toEqual('');
	});

	it('of a resource locator is its value', () => {
		expect(read({ model: { __rl: true, mode: 'id', value: ' qwen ' } }).string('model')).toBe(
			'qwen',
		);
	});
});

describe('a wrong value', () => {
	it.each<[keyof typeof READERS, unknown, string]>([
		['share', 2, '"Share" must be a number from 0 to 1, but is 2'],
		['count', 'x', '"Count" must be a number, but is "x"'],
		['count', NaN, '"Count" must be a number, but is null'],
		['wait', -1, '"Wait (Seconds)" must be a number from 0'],
		['fast', 'perhaps', '"Fast" must be true or false, but is "perhaps"'],
		['include', ['x', 'z'], '"Include" must be one of x, y, but'],
		['more', '[1]', '"More" must be a JSON object'],
		['more', '{', '"More" is not valid JSON'],
	])('of the option %s is an error with its label: %j', (name, value, message) => {
		expect(refusal(() => READERS[name](options({ [name]: value })))).toContain(
			`The field ${message}`,
		);
	});

	it.each(['c', ''])('that is no choice is an error with the choices: %j', (kind) => {
		expect(refusal(() => read({ kind }).choice('kind'))).toContain(
			`The field "Kind" must be one of a, b, but is "${kind}"`,
		);
	});

	it('that is no name is an error', () => {
		expect(refusal(() => read({ model: ['a'] }).string('model'))).toContain(
			'The field "Model" must be a text, but is ["a"]',
		);
	});

	it('is quoted truncated', () => {
		expect(
			refusal(() => read({ model: { name: 'x'.repeat(500) } }).string('model')).length,
		).toBeLessThan(150);
	});
});

describe('a parameter without an expression is read once for all items of an execution', () => {
	/** The context of a node with items, which counts how often n8n resolves a parameter. */
	function counting(
		written: Record<string, unknown>,
		valueOf: (name: string, itemIndex: number) => unknown,
	) {
		const reads: string[] = [];
		const context = {
			getInputData: () => [],
			getNode: () => ({ parameters: written }),
			getNodeParameter: (name: string, itemIndex: number) => {
				reads.push(name);
				return valueOf(name, itemIndex);
			},
		};
		return { context, reads };
	}

	it('reads a fixed value once, and one with an expression at any depth for every item', () => {
		const written = { query: 'fixed', options: { share: 0.5, more: '={{ $json.more }}' } };
		const { context, reads } = counting(written, (name, itemIndex) =>
			name === 'query' ? 'fixed' : { share: 0.5, more: { itemIndex } },
		);
		const found = [0, 1, 2].map((itemIndex) => {
			const parameters = new NodeParameters(context, itemIndex, PROPERTIES);
			return [parameters.rawString('query'), parameters.object('options.more')];
		});
		expect(found).toEqual([0, 1, 2].map((itemIndex) => ['fixed', { itemIndex }]));
		expect(reads).toEqual(['query', 'options', 'options', 'options']);
	});

	it('reads a value again that is not stored in the node, or that could not be read', () => {
		let fails = true;
		const { context, reads } = counting({ kind: 'b' }, (name) => {
			if (name === 'kind' && fails) throw new Error('not yet');
			return name === 'kind' ? 'b' : 'preset';
		});
		const read = (name: string) => new NodeParameters(context, 0, PROPERTIES).rawString(name);
		expect(() => read('kind')).toThrow('not yet');
		fails = false;
		expect([read('kind'), read('kind'), read('query'), read('query')]).toEqual([
			'b',
			'b',
			'preset',
			'preset',
		]);
		expect(reads).toEqual(['kind', 'kind', 'query', 'query']);
	});

	it('keeps executions separate', () => {
		const one = counting({ query: 'a' }, () => 'a').context;
		const other = counting({ query: 'b' }, () => 'b').context;
		expect(
			[one, other, one].map((context) =>
				new NodeParameters(context, 0, PROPERTIES).rawString('query'),
			),
		).toEqual(['a', 'b', 'a']);
	});
});

describe('the description of a field', () => {
	it('is found inside collections, and inside groups of fields', () => {
		expect(findField(PROPERTIES, 'options.share').label).toBe('Share');
		expect(findField(PROPERTIES, 'files.file.name').label).toBe('Name of the File');
		expect(() => findField(PROPERTIES, 'options.shar')).toThrow(
			'The node has no field options.shar',
		);
	});

	it('has the choices of all fields of that name', () => {
		const sameNamed = ['a', 'b'].map((value): INodeProperties => ({
			displayName: 'Operation',
			name: 'operation',
			type: 'options',
			options: [{ name: value, value }],
			default: value,
		}));
		expect(findField(sameNamed, 'operation').choices).toEqual(['a', 'b']);
	});

	it('has its range, and whether it is an integer', () => {
		expect(findField(PROPERTIES, 'options.share')).toMatchObject({
			range: [0, 1],
			isInteger: false,
		});
		expect(findField(PROPERTIES, 'options.count')).toMatchObject({
			range: [-Infinity, Infinity],
			isInteger: true,
		});
		expect(findField(PROPERTIES, 'kind').choices).toEqual(['a', 'b']);
	});
});

describe('a value of a field', () => {
	it.each([
		['1e3', 1000],
		[' -2.9 ', -2],
		[7.9, 7],
	])('%j as an integer', (value, number) => {
		expect(asNumber({ label: 'Count', isInteger: true }, value)).toBe(number);
	});

	it.each([true, [], '', ' ', '1 apple', Infinity, {}])('%j is not a number', (value) => {
		expect(() => asNumber({ label: 'Count' }, value)).toThrow(
			'The field "Count" must be a number, but is',
		);
	});

	it('is unset if the field is empty; 0, false and blanks are values', () => {
		expect([undefined, null, ''].map(isUnset)).toEqual([true, true, true]);
		expect([0, false, ' ', []].map(isUnset)).toEqual([false, false, false, false]);
	});

	it('is quoted as JSON, truncated', () => {
		const circular: Record<string, unknown> = {};
		circular.self = circular;
		expect(quoteValue(circular)).toBe('[object Object]');
		// n8n-workflow gives them a JSON form.
		expect(quoteValue(10n)).toBe('"10"');
		expect(quoteValue(undefined)).toBe('undefined');
		expect(quoteValue('x'.repeat(200))).toHaveLength(100);
		fc.assert(
			fc.property(fc.anything(), (value) =>
				expect([...quoteValue(value)].length).toBeLessThanOrEqual(100),
			),
		);
	});

	it('is converted to the type of the field, or rejected with its name', () => {
		const field = { label: 'Own', choices: ['a'] };
		fc.assert(
			fc.property(fc.oneof(fc.anything(), fc.json()), (value) => {
				const forms: Array<[() => unknown, (given: unknown) => boolean]> = [
					[() => asNumber(field, value), Number.isFinite],
					[() => asBoolean(field, value), (given) => typeof given === 'boolean'],
					[() => asChoice(field, value), (given) => given === 'a'],
					[() => asText(field, value), (given) => typeof given === 'string'],
					[
						() => asObject(field, value),
						(given) => typeof given === 'object' && given !== null && !Array.isArray(given),
					],
				];
				for (const [take, fits] of forms) {
					let result: unknown;
					try {
						result = take();
					} catch (error) {
						expect(error).toBeInstanceOf(ServerError);
						expect((error as ServerError).message).toContain('The field "Own" ');
						continue;
					}
					expect(fits(result)).toBe(true);
				}
			}),
		);
	});

	it('that is wrong is an error with a suggestion', () => {
		expect(createEmptyFieldError('Own')).toMatchObject({
			type: 'invalidInput',
			field: 'Own',
			inputProblem: 'empty',
			hasPlainAdvice: true,
			message: 'The field "Own" is empty',
			suggestion: 'Enter a value, or correct the expression.',
		});
		expect(createFieldError('Own', 'has no rows')).toMatchObject({
			message: 'The field "Own" has no rows',
			suggestion: 'Correct the field in the node.',
			field: 'Own',
			inputProblem: 'wrong',
			hasPlainAdvice: true,
		});
		expect(createEmptyFieldError('Own', 'Fill it.')).toMatchObject({
			suggestion: 'Fill it.',
			field: 'Own',
			inputProblem: 'empty',
			hasPlainAdvice: false,
		});
	});
});

const NODES = path.join(process.cwd(), 'nodes');
/** Common options are identified by label: an option of Dify's chunks has the name "maxTokens", too. */
const LABELS: Readonly<Record<string, string>> = { temperature: 'Temperature', topP: 'Top P' };
const option = (name: string): INodeProperties => ({
	displayName: LABELS[name] ?? name,
	name,
	type: 'number',
	default: 0,
});
const namesOf = ({ options = [] }: INodeProperties) => options.map(({ name }) => name);

test('options form one list, the common ones first', () => {
	const list = optionsCollection(['topP', 'seed', 'temperature', 'minP'].map(option));
	expect(namesOf(list)).toEqual(['temperature', 'topP', 'minP', 'seed']);
});

test('a collection of another form counts as empty, as in n8n', () => {
	const properties = [optionsCollection([option('minP')])];
	const read = (options: unknown) =>
		new NodeParameters({ getNodeParameter: () => options }, 0, properties).value('options.minP');
	expect(read({ minP: 1 })).toBe(1);
	for (const given of ['{"minP": 1}', [{ minP: 1 }], 5, null, undefined])
		expect(read(given)).toBeUndefined();
});

const folders = fs
	.readdirSync(NODES)
	.filter((folder) => fs.existsSync(path.join(NODES, folder, `${folder}.node.ts`)));

test.each(folders)(
	'the options of %s are one list that begins with the common ones',
	async (folder) => {
		const exported = (await import(path.join(NODES, folder, `${folder}.node`))) as Record<
			string,
			new () => INodeType
		>;
		const { description } = new exported[folder]!();
		for (const filled of everyOperation(description)) {
			const lists = description.properties.filter(
				(property) =>
					property.type === 'collection' &&
					property.name.startsWith('options') &&
					NodeHelpers.displayParameter(filled.parameters as never, property, null, description),
			);
			expect({ filled: filled.name, lists: lists.slice(1) }).toMatchObject({ lists: [] });
			const names = lists.flatMap(namesOf);
			if (names.includes('temperature')) expect(names[0]).toBe('temperature');
		}
	},
);
