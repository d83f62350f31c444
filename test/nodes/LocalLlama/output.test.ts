/** Items that are processed together: the options of the output are those of each item. */
import { useLocalLlama } from './run-node';

const { serve, execute } = useLocalLlama();

const TOGETHER = [
	{
		operation: 'embed',
		parameters: { resource: 'vector', operation: 'embed' },
		texts: (text: string) => ({ text }),
	},
	{
		operation: 'rerank',
		parameters: { resource: 'vector', operation: 'rerank', query: 'cat' },
		texts: (document: string) => ({ document }),
	},
];

const OPTIONS = [
	{
		option: 'simplify',
		values: [true, false, undefined],
		field: 'metadata',
		hasField: [false, true, false],
	},
	{
		option: 'includeInputFields',
		values: [false, true, undefined],
		field: 'id',
		hasField: [false, true, true],
	},
];

test.each(TOGETHER.flatMap((one) => OPTIONS.map((row) => ({ ...one, ...row }))))(
	'$operation: each item has its own $option',
	async ({ parameters, texts, option, values, field, hasField }) => {
		await serve({ embeddings: true, rerank: true });
		for (const order of [
			[0, 1, 2],
			[2, 1, 0],
		]) {
			const items = await execute({
				parameters,
				items: order.map((id) => ({ json: { id } })),
				perItem: order.map((at) => ({
					...texts(`cat ${at}`),
					options: values[at] === undefined ? {} : { [option]: values[at] },
				})),
			});
			const found = items.map(({ json, pairedItem }) => {
				const { item } = pairedItem as { item: number };
				return { id: order[item], [field]: field in json };
			});
			const expected = hasField.map((has, id) => ({ id, [field]: has }));
			expect(found.sort((a, b) => Number(a.id) - Number(b.id))).toEqual(expected);
		}
	},
);
