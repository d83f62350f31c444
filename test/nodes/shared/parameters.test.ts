import { ServerError } from '../../../lib/errors/server-error';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { PROPERTIES } from './properties';
import { fakeContext } from '../../support/context';

const read = (given: Record<string, unknown>) =>
	new NodeParameters(fakeContext(given, {}).context, 0, PROPERTIES);
const options = (given: Record<string, unknown>) => read({ options: given });

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
	it('of the right type is accepted', () => {
		const parameters = options({
			share: 0.5,
			count: 3,
			wait: 1.5,
			fast: false,
			more: { a: 1 },
			include: ['x'],
		});
		expect(parameters.number('options.share')).toBe(0.5);
		expect(parameters.number('options.count')).toBe(3);
		expect(parameters.milliseconds('options.wait')).toBe(1500);
		expect(parameters.boolean('options.fast')).toBe(false);
		expect(parameters.object('options.more')).toEqual({ a: 1 });
		expect(parameters.choices('options.include')).toEqual(['x']);
		expect(read({ kind: 'b' }).choice('kind')).toBe('b');
	});

	it('as text is parsed', () => {
		const parameters = options({
			share: ' 0.5 ',
			count: '3.9',
			wait: '2',
			fast: 'False',
			more: '{"a":1}',
			include: 'y',
		});
		expect(parameters.number('options.share')).toBe(0.5);
		expect(parameters.number('options.count')).toBe(3);
		expect(parameters.milliseconds('options.wait')).toBe(2000);
		expect(parameters.boolean('options.fast')).toBe(false);
		expect(parameters.object('options.more')).toEqual({ a: 1 });
		expect(parameters.choices('options.include')).toEqual(['y']);
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
	it.each<[string, () => unknown, string]>([
		[
			'number',
			() => options({ share: 2 }).number('options.share'),
			'"Share" must be a number from 0 to 1, but is 2',
		],
		[
			'number',
			() => options({ count: 'x' }).number('options.count'),
			'"Count" must be a number, but is "x"',
		],
		[
			'number',
			() => options({ count: NaN }).number('options.count'),
			'"Count" must be a number, but is null',
		],
		[
			'time',
			() => options({ wait: -1 }).milliseconds('options.wait'),
			'"Wait (Seconds)" must be a number from 0',
		],
		[
			'switch',
			() => options({ fast: 'perhaps' }).boolean('options.fast'),
			'"Fast" must be true or false, but is "perhaps"',
		],
		['choice', () => read({ kind: 'c' }).choice('kind'), '"Kind" must be one of a, b, but is "c"'],
		['choice', () => read({ kind: '' }).choice('kind'), '"Kind" must be one of a, b, but is ""'],
		[
			'choices',
			() => options({ include: ['x', 'z'] }).choices('options.include'),
			'"Include" must be one of x, y, but',
		],
		[
			'object',
			() => options({ more: '[1]' }).object('options.more'),
			'"More" must be a JSON object',
		],
		['object', () => options({ more: '{' }).object('options.more'), '"More" is not valid JSON'],
		['name', () => read({ model: ['a'] }).string('model'), '"Model" must be a text, but is ["a"]'],
	])('of a %s is an error with the label of the field', (_kind, run, message) => {
		expect(refusal(run)).toContain(`The field ${message}`);
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
