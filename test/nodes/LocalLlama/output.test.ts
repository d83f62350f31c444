import fc from 'fast-check';
import type { INodeExecutionData } from 'n8n-workflow';
import { type LlamaCall, type ResultItem, withOutput } from '../../../nodes/LocalLlama/operation';
import { operations } from '../../../nodes/LocalLlama/resources';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { ItemError } from '../../../nodes/shared/run/item-error';
import { executeContext } from '../../support/execute-context';
import { useLocalLlama } from './run-node';

const { serve, execute } = useLocalLlama();

const LABELS = { label: [{ name: 'invoice' }, { name: 'offer' }] };
const MAIL = { subject: 'Hello', text: 'Please pay 5 €', output: 'unread' };
const CLASSIFY = {
	resource: 'text',
	operation: 'classify',
	text: 'Please pay 5 €',
	labels: LABELS,
};

/** Output items of an operation with these results. */
async function getItems(
	items: INodeExecutionData[],
	results: Array<ResultItem | ItemError>,
	{ options = {}, type = 'localLlama' }: { options?: object; type?: string } = {},
) {
	const operation = withOutput({
		name: 'Test',
		value: 'test',
		fields: [{ displayName: 'Options', name: 'options', type: 'collection', default: {} }],
		run: () => Promise.resolve(results),
	});
	const { context } = executeContext({ type, items, credentials: {}, parameters: { options } });
	const parametersOf = (index: number) => new NodeParameters(context, index, operation.fields);
	const itemIndexes = items.map((_item, index) => index);
	return await operation.run({ context, itemIndexes, parametersOf } as unknown as LlamaCall);
}

test('property: the result replaces input fields, no other field is lost, and files are included', async () => {
	const input = fc.dictionary(fc.constantFrom('a', 'b', 'output', 'metadata'), fc.integer());
	const option = fc.option(fc.boolean(), { nil: undefined });
	await fc.assert(
		fc.asyncProperty(input, fc.jsonValue(), option, option, async (json, output, ...chosen) => {
			const [includeInputFields, simplify] = chosen;
			const binary = { photo: { data: '', mimeType: 'image/png' } };
			const [item] = await getItems([{ json, binary }], [{ output, metadata: { model: 'm' } }], {
				options: { includeInputFields, simplify },
			});
			const isIncluded = includeInputFields ?? true;
			expect(item).toEqual({
				json: {
					...(isIncluded ? json : {}),
					output,
					...((simplify ?? true) ? {} : { metadata: { model: 'm' } }),
				},
				...(isIncluded ? { binary } : {}),
			});
		}),
	);
});

test('an item from several input items, and a failed item, get no input fields', async () => {
	const failedItem = new ItemError(1, new Error('no'));
	const items = [{ json: { a: 1 } }, { json: { a: 2 } }];
	const results = [{ output: [[1], [2]], from: [0, 1] }, failedItem, { output: [2], from: 1 }];
	expect(await getItems(items, results)).toEqual([
		{ json: { output: [[1], [2]] }, from: [0, 1] },
		failedItem,
		{ json: { a: 2, output: [2] }, from: 1 },
	]);
});

test('several results of one input item each have its fields', async () => {
	const results = [{ output: 'one' }, { output: 'two' }];
	expect(await getItems([{ json: { a: 1 } }], results)).toEqual([
		{ json: { a: 1, output: 'one' } },
		{ json: { a: 1, output: 'two' } },
	]);
});

test('the entry of an array replaces the input fields, unless the option is on', async () => {
	const items = [{ json: { a: 1, b: 1 }, binary: { photo: { data: '', mimeType: 'image/png' } } }];
	const results = [{ output: 1, entry: { b: 2 } }];
	expect(await getItems(items, results)).toEqual([{ json: { b: 2, output: 1 } }]);
	expect(await getItems(items, results, { options: { includeInputFields: true } })).toEqual([
		{ json: { a: 1, b: 2, output: 1 }, binary: items[0]!.binary },
	]);
});

test.each([undefined, true, false])(
	'the tool of an agent returns only the result, with the option %s',
	async (includeInputFields) => {
		const tool = { options: { includeInputFields }, type: 'localLlamaTool' };
		expect(await getItems([{ json: { a: 1 } }], [{ output: 2 }], tool)).toEqual([
			{ json: { output: 2 } },
		]);
	},
);

describe('in the node', () => {
	test.each([
		[{}, true],
		[{ options: { includeInputFields: false } }, false],
	])(
		'Classify with %j: the fields of the email are included: %s',
		async (parameters, isIncluded) => {
			await serve();
			const [item] = await execute({
				items: [{ json: MAIL }],
				parameters: { ...CLASSIFY, ...parameters },
			});
			expect(item!.json.subject).toBe(isIncluded ? 'Hello' : undefined);
			expect(item!.json.output).not.toBe('unread');
			expect(item!.pairedItem).toEqual({ item: 0 });
		},
	);

	test('every operation with a result has both options', () => {
		const optionNames = ['includeInputFields', 'simplify'];
		const withOptions = operations.properties
			.filter(({ name, options = [] }) => {
				const names = options.map((option) => option.name);
				return name === 'options' && optionNames.every((option) => names.includes(option));
			})
			.map(({ displayOptions }) => Object.values(displayOptions!.show!).flat().join(' '));
		expect(withOptions).toEqual([
			'text chat',
			'text extract',
			'text classify',
			'text complete',
			'vector embed',
			'vector rerank',
			'image generate',
			'audio transcribe',
			'audio speak',
		]);
	});
});
