import * as fc from 'fast-check';

import { ServerError } from '../../../lib/errors/server-error';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { PROPERTIES } from './properties';
import { fakeContext } from '../../support/context';

const read = (given: Record<string, unknown>) =>
	new NodeParameters(fakeContext(given, {}).context, 0, PROPERTIES);
const options = (given: Record<string, unknown>) => read({ options: given });

function refusal(run: () => unknown): string {
	const refused = errorOf(run);
	expect(refused).toBeInstanceOf(ServerError);
	expect(refused).toMatchObject({ type: 'invalidInput' });
	return (refused as ServerError).message;
}

function errorOf(run: () => unknown): unknown {
	try {
		run();
		return undefined;
	} catch (error) {
		return error;
	}
}

describe('what is given', () => {
	it('in the right form is taken', () => {
		const given = options({
			share: 0.5,
			count: 3,
			wait: 1.5,
			fast: false,
			more: { a: 1 },
			include: ['x'],
		});
		expect(given.number('options.share')).toBe(0.5);
		expect(given.number('options.count')).toBe(3);
		expect(given.milliseconds('options.wait')).toBe(1500);
		expect(given.boolean('options.fast')).toBe(false);
		expect(given.object('options.more')).toEqual({ a: 1 });
		expect(given.choices('options.include')).toEqual(['x']);
		expect(read({ kind: 'b' }).choice('kind')).toBe('b');
	});

	it('as text is taken for what it says', () => {
		const given = options({
			share: ' 0.5 ',
			count: '3.9',
			wait: '2',
			fast: 'False',
			more: '{"a":1}',
			include: 'y',
		});
		expect(given.number('options.share')).toBe(0.5);
		expect(given.number('options.count')).toBe(3);
		expect(given.milliseconds('options.wait')).toBe(2000);
		expect(given.boolean('options.fast')).toBe(false);
		expect(given.object('options.more')).toEqual({ a: 1 });
		expect(given.choices('options.include')).toEqual(['y']);
	});

	it.each([undefined, null, ''])(
		'by an expression that gives %p is as if the option had not been added',
		(value) => {
			const given = options({ share: value, fast: value, include: value, more: value });
			expect(given.number('options.share', 7)).toBe(7);
			expect(given.boolean('options.fast', true)).toBe(true);
			expect(given.choices('options.include')).toEqual([]);
			expect(given.object('options.more', undefined)).toBeUndefined();
		},
	);

	it('is what the description says where the editor hides the field, but never an expression as text', () => {
		expect(read({}).choice('kind')).toBe('a');
		expect(read({}).rawString('query')).toBe('');
		expect(read({}).string('model')).toEqual('');
	});

	it('by a resource locator is what it points to', () => {
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

	it('is quoted in short', () => {
		expect(
			refusal(() => read({ model: { name: 'x'.repeat(500) } }).string('model')).length,
		).toBeLessThan(150);
	});

	it('of whatever kind is refused or taken, never thrown about', () => {
		fc.assert(
			fc.property(fc.anything(), (value) => {
				for (const run of [
					() => options({ share: value }).number('options.share', 0),
					() => options({ fast: value }).boolean('options.fast', false),
					() => options({ include: value }).choices('options.include'),
					() => read({ kind: value }).choice('kind'),
					() => read({ options: value }).boolean('options.fast', false),
				])
					expect(
						errorOf(run) ?? new ServerError({ type: 'invalidInput', message: '', suggestion: '' }),
					).toBeInstanceOf(ServerError);
			}),
		);
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

	it('reads a fixed one once, and one with an expression for every item, wherever that stands', () => {
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

	it('asks again for one that is not in the node, or could not be read', () => {
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

	it('keeps executions apart', () => {
		const one = counting({ query: 'a' }, () => 'a').context;
		const other = counting({ query: 'b' }, () => 'b').context;
		expect(
			[one, other, one].map((context) =>
				new NodeParameters(context, 0, PROPERTIES).rawString('query'),
			),
		).toEqual(['a', 'b', 'a']);
	});
});
