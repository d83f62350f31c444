import fc from 'fast-check';
import type { INodeExecutionData } from 'n8n-workflow';

import { withInputFields } from '../../../nodes/LocalLlama/input-fields';
import type { LlamaCall, LocalLlamaOperation } from '../../../nodes/LocalLlama/operation';
import { operations } from '../../../nodes/LocalLlama/resources';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { ItemError } from '../../../nodes/shared/run/item-error';
import type { OperationResult } from '../../../nodes/shared/run/operations';
import { executeContext } from '../../support/execute-context';
import { useLocalLlama } from './run-node';

const { serve, execute } = useLocalLlama();

const LABELS = { label: [{ name: 'invoice' }, { name: 'offer' }] };
const MAIL = { subject: 'Hello', text: 'Please pay 5 €', label: 'unread' };
const CLASSIFY = {
	resource: 'text',
	operation: 'classify',
	text: 'Please pay 5 €',
	labels: LABELS,
};

/** Output of an operation with this result. */
async function getOutput(
	items: INodeExecutionData[],
	result: OperationResult,
	{
		defaultValue,
		chosenValue,
		type = 'localLlama',
	}: { defaultValue: boolean; chosenValue?: boolean; type?: string },
) {
	const operation = withInputFields(
		{
			option: { name: 'Test', value: 'test' },
			fields: [{ displayName: 'Options', name: 'options', type: 'collection', default: {} }],
			run: () => Promise.resolve(result),
		} satisfies LocalLlamaOperation,
		defaultValue,
	);
	const options = chosenValue === undefined ? {} : { includeInputFields: chosenValue };
	const { context } = executeContext({ type, items, credentials: {}, parameters: { options } });
	const parametersOf = (index: number) => new NodeParameters(context, index, operation.fields);
	const itemIndexes = items.map((_item, index) => index);
	return await operation.run({ context, itemIndexes, parametersOf } as unknown as LlamaCall);
}

test('property: result fields take precedence, no field is lost, and files are included', async () => {
	const fields = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer());
	await fc.assert(
		fc.asyncProperty(
			fields,
			fields,
			fc.boolean(),
			fc.option(fc.boolean(), { nil: undefined }),
			async (input, output, defaultValue, chosenValue) => {
				const binary = { photo: { data: '', mimeType: 'image/png' } };
				const [item] = await getOutput([{ json: input, binary }], [{ json: output }], {
					defaultValue,
					chosenValue,
				});
				const isIncluded = chosenValue ?? defaultValue;
				expect(item).toEqual(
					isIncluded ? { json: { ...input, ...output }, binary } : { json: output },
				);
			},
		),
	);
});

test('an item from several input items, and a failed item, get no input fields', async () => {
	const failedItem = new ItemError(1, new Error('no'));
	const combined = { json: { vectors: [] }, from: [0, 1] };
	const ownTool = { json: { vector: [] }, from: 1 };
	const items = [{ json: { a: 1 } }, { json: { a: 2 } }];
	expect(await getOutput(items, [combined, failedItem, ownTool], { defaultValue: true })).toEqual([
		combined,
		failedItem,
		{ json: { a: 2, vector: [] }, from: 1 },
	]);
});

test.each([undefined, true, false])(
	'the tool of an agent returns only the result, with the option %s',
	async (chosenValue) => {
		const items = [{ json: { a: 1 } }];
		const tool = { defaultValue: true, chosenValue, type: 'localLlamaTool' };
		expect(await getOutput(items, [{ json: { b: 2 } }], tool)).toEqual([{ json: { b: 2 } }]);
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
			expect(item!.json.label).not.toBe('unread');
			expect(item!.pairedItem).toEqual({ item: 0 });
		},
	);

	test('every operation with one input item per output item has the option, in its plain list', () => {
		const withOption = operations.properties
			.filter(
				({ name, options = [] }) =>
					name === 'options' && options.some((option) => option.name === 'includeInputFields'),
			)
			.map(({ displayOptions }) => Object.values(displayOptions!.show!).flat().join(' '));
		expect(withOption).toEqual([
			'text chat',
			'text extract',
			'text classify',
			'text complete',
			'vector embed',
			'image generate',
			'audio transcribe',
			'audio speak',
		]);
	});
});
