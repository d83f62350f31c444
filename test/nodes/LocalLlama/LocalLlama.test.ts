import { NodeHelpers } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INodeProperties,
	INodeParameters,
	INodeExecutionData,
} from 'n8n-workflow';
import fc from 'fast-check';
import { LocalLlamaApi } from '../../../credentials/LocalLlamaApi.credentials';
import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import { useLocalLlama } from './run-node';
import { operations } from '../../../nodes/LocalLlama/resources';
import { withOutput } from '../../../nodes/LocalLlama/output';
import type { LlamaCall } from '../../../nodes/LocalLlama/run-local-llama';
import type { ResultItem } from '../../../nodes/LocalLlama/output';
import { ItemSource } from '../../../nodes/shared/fields/item-source';
import { optionsField } from '../../../nodes/shared/fields/options-field';
import { ItemError } from '../../../nodes/shared/items/item-error';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteFake } from '../../support/n8n/execute-context';

const { serve, prepare, executeIn, execute } = useLocalLlama();
const CHAT = { resource: 'text', operation: 'chat' };
const prompts = (...texts: string[]) => ({
	items: texts.map((text) => ({ json: { text } })),
	perItem: texts.map((prompt) => ({ prompt })),
	parameters: CHAT,
});

test('every field is shown only for its resource and operation; options are sorted by label, common ones and timeouts first', () => {
	const common = [
		'Input Binary Fields',
		'Temperature',
		'Maximum Tokens',
		'Top P',
		'Context Size',
		'Stop Sequences',
	];
	const isTimeout = (label: string) => label.endsWith('Timeout (Seconds)');
	const { properties } = new LocalLlama().description;
	for (const { name, displayOptions, options, type } of properties) {
		if (name === 'resource') continue;
		expect(displayOptions?.show?.resource).toHaveLength(1);
		if (name !== 'operation') expect(displayOptions?.show?.operation).toHaveLength(1);
		if (type !== 'collection') continue;
		const labels = (options as INodeProperties[]).map(({ displayName }) => displayName);
		const otherLabels = labels.filter((label) => !common.includes(label));
		otherLabels.sort((a, b) => Number(isTimeout(b)) - Number(isTimeout(a)) || a.localeCompare(b));
		expect(labels).toEqual([...common.filter((label) => labels.includes(label)), ...otherLabels]);
		expect(new Set(labels).size).toBe(labels.length);
	}
});

/** How often the node reads a credential for three items. As in n8n, expressions are evaluated last. */
async function countReads(
	stored: ICredentialDataDecryptedObject,
	evaluated: ICredentialDataDecryptedObject,
): Promise<number> {
	const { url } = await serve({ apiKey: undefined });
	const data = { baseUrl: url, ...stored } as Parameters<typeof NodeHelpers.getNodeParameters>[1];
	const { properties } = new LocalLlamaApi();
	const displayed = NodeHelpers.getNodeParameters(properties, data, true, false, null, null);
	const { parameters, ...items } = prompts('a', 'b', 'c');
	const fake = prepare({
		...items,
		parameters: { ...parameters, options: { maxConcurrentItems: 1 } },
		credentials: { ...displayed, baseUrl: url, ...evaluated } as ICredentialDataDecryptedObject,
	});
	const read = jest.spyOn(fake.context, 'getCredentials');
	await executeIn(fake);
	return read.mock.calls.length;
}

test('a credential without an expression is read once, since reading it takes longer than a small request', async () => {
	expect(await countReads({}, {})).toBe(1);
	expect(await countReads({ authentication: 'basic', user: 'me', password: 'p' }, {})).toBe(1);
});

test.each<[string, ICredentialDataDecryptedObject, ICredentialDataDecryptedObject]>([
	['baseUrl', { baseUrl: '={{ $json.url }}' }, {}],
	['apiKey', { apiKey: '={{ $json.key }}' }, { apiKey: 'key-of-the-item' }],
	['authentication', { authentication: '={{ $json.kind }}' }, { authentication: 'bearer' }],
	['user', { authentication: 'basic', user: '={{ $json.user }}' }, { user: 'me' }],
	['password', { authentication: 'basic', password: '={{ $json.word }}' }, { password: 'p' }],
	['ignoreSslIssues', { ignoreSslIssues: '={{ $json.ignore }}' }, { ignoreSslIssues: false }],
	['maxConcurrentRequests', { maxConcurrentRequests: '={{ 2 }}' }, { maxConcurrentRequests: 2 }],
	['serverType', { serverType: '={{ "auto" }}' }, { serverType: 'auto' }],
	['a header', { extraHeaders: { header: [{ name: 'x-a', value: '={{ $json.a }}' }] } }, {}],
	['a header, without one', { extraHeaders: { header: [{ name: 'x-a', value: 'b' }] } }, {}],
])(
	'a credential with an expression in %s is read for each item',
	async (_field, stored, evaluated) => {
		expect(await countReads({ sameForEachItem: true, ...stored }, evaluated)).toBe(3);
	},
);

test('streams to a chat, one item after another; not as a tool, or if streaming is off', async () => {
	await serve();
	const chatText = prepare({ ...prompts('a', 'b'), streaming: true });
	await executeIn(chatText);
	expect(
		chatText.chunks
			.map(({ type, itemIndex }) => `${type}${itemIndex}`)
			.filter((a) => !/^item/.test(a)),
	).toEqual(['begin0', 'end0', 'begin1', 'end1']);
	expect(chatText.chunks.map(({ content }) => content ?? '').join('')).toBe(
		'You said: aYou said: b',
	);
	const isSilent = prepare({
		...prompts('a'),
		parameters: { ...CHAT, options: { enableStreaming: false } },
		streaming: true,
	});
	const tool = prepare({
		...prompts('a'),
		streaming: true,
		type: 'n8n-nodes-local-llama.localLlamaTool',
	});
	await Promise.all([executeIn(isSilent), executeIn(tool)]);
	expect([isSilent.chunks, tool.chunks]).toEqual([[], []]);
});

test.each([
	['text', 'chat', ['Model', 'Prompt', 'System Message', 'Options']],
	['text', 'extract', ['Model', 'Text', 'Fields', 'Options']],
	['text', 'classify', ['Model', 'Text', 'Labels', 'Options']],
	['text', 'decide', ['Model', 'State', 'Questions', 'Options']],
	['text', 'complete', ['Model', 'Prompt', 'Options']],
	['vector', 'embed', ['Model', 'Text', 'Role', 'Options']],
	['vector', 'rerank', ['Model', 'Query', 'Document', 'Top N', 'Options']],
	['image', 'generate', ['Model', 'Prompt', 'Options']],
	['audio', 'transcribe', ['Model', 'Input Binary Field', 'Response Format', 'Options']],
	['audio', 'speak', ['Model', 'Text', 'Voice', 'Options']],
	['model', 'getAll', ['Options']],
])('%s: %s as added shows only what everyone needs', (resource, operation, labels) => {
	const values = { resource, operation };
	const fields = operations.properties.filter((field) =>
		NodeHelpers.displayParameter(values, field, { typeVersion: 1 }, null),
	);
	const shownLabels = fields.map(({ displayName }) => displayName);
	expect(shownLabels).toEqual(['Resource', 'Operation', ...labels]);
});

// n8n lists such an option under "Add Option" only after the other has its value.
test.each(['chat', 'extract'])(
	'%s: an option names the options that it makes available',
	(operation) => {
		const { options: members = [] } = operations.properties.find(
			(field) =>
				field.name === 'options' &&
				NodeHelpers.displayParameter(
					{ resource: 'text', operation },
					field,
					{ typeVersion: 1 },
					null,
				),
		)!;
		const options = members as INodeProperties[];
		const dependent = options.flatMap(({ displayName, displayOptions }) =>
			Object.keys(displayOptions?.show ?? {}).map((name) => ({ displayName, name })),
		);
		expect(dependent.length).toBeGreaterThan(0);
		for (const { displayName, name } of dependent) {
			const { description } = options.find((option) => option.name === name)!;
			expect(description).toContain(`"${displayName}"`);
		}
	},
);

const { properties } = operations;
const NODE = { typeVersion: 1 };

const getShownFields = (values: INodeParameters) =>
	properties.filter((field) => NodeHelpers.displayParameter(values, field, NODE, null));

const DEPENDENT = {
	thinkingEffort: 'high',
	thinkingBudget: 5,
	jsonSchema: '{"type":"object"}',
	grammar: 'root ::= "a"',
};

test.each<[string, INodeParameters, string[]]>([
	['chat', {}, []],
	['chat', { thinking: 'on', responseFormat: 'jsonObject' }, []],
	['chat', { thinking: 'effort' }, ['thinkingEffort']],
	['chat', { thinking: 'budget' }, ['thinkingBudget']],
	['chat', { responseFormat: 'jsonSchema' }, ['jsonSchema']],
	['chat', { responseFormat: 'grammar' }, ['grammar']],
	['chat', { thinking: '={{ $json.mode }}' }, ['thinkingEffort', 'thinkingBudget']],
	['extract', {}, ['jsonSchema']],
	['extract', { thinking: 'effort' }, ['thinkingEffort', 'jsonSchema']],
])('n8n offers and keeps options that depend on others: %s with %j', (operation, options, kept) => {
	const values = { resource: 'text', operation, options: { ...options, ...DEPENDENT } };
	const collection = getShownFields(values).find(({ name }) => name === 'options')!;
	const isOffered = (option: INodeProperties) =>
		NodeHelpers.displayParameterPath(values, option, 'options', NODE, null);
	const dependentOptions = (collection.options as INodeProperties[]).filter(
		({ name }) => name in DEPENDENT,
	);
	expect(new Set(dependentOptions.filter(isOffered).map(({ name }) => name))).toEqual(
		new Set(kept),
	);
	const loaded = NodeHelpers.getNodeParameters(properties, values, true, false, NODE, null);
	const expected = Object.entries(DEPENDENT).filter(([name]) => kept.includes(name));
	expect(loaded!.options).toEqual({ ...options, ...Object.fromEntries(expected) });
});

describe('output', () => {
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
		{
			options = {},
			type = 'localLlama',
			hint = () => {},
		}: { options?: object; type?: string; hint?: (text: string) => void } = {},
	) {
		const operation = withOutput({
			name: 'Test',
			value: 'test',
			fields: { options: optionsField({}) },
			execute: () => Promise.resolve(results),
		});
		const { context } = executeContext({ type, items, credentials: {}, parameters: { options } });
		const sourceOf = (index: number) => new ItemSource(context, index);
		const itemIndexes = items.map((_item, index) => index);
		const source = sourceOf(0);
		const call = { context, itemIndexes, source, sourceOf, hint } as unknown as LlamaCall;
		return [await operation.execute(call)].flat();
	}

	test('property: the result replaces input fields, no other field is lost, and files are included if the option is on', async () => {
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
						...((simplify ?? true)
							? {}
							: { metadata: { model: 'm', seconds: expect.any(Number) as number } }),
					},
					// n8n opens the tab of files first: they come only if they are wanted.
					...(includeInputFields === true ? { binary } : {}),
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
		const items = [
			{ json: { a: 1, b: 1 }, binary: { photo: { data: '', mimeType: 'image/png' } } },
		];
		const results = [{ output: 1, entry: { b: 2 } }];
		expect(await getItems(items, results)).toEqual([{ json: { b: 2, output: 1 } }]);
		expect(await getItems(items, results, { options: { includeInputFields: true } })).toEqual([
			{ json: { a: 1, b: 2, output: 1 }, binary: items[0]!.binary },
		]);
	});

	test.each<{ json: IDataObject; entry: IDataObject; replaced: string[] }>([
		{ json: { a: 1, b: 1 }, entry: { b: 2 }, replaced: ['b'] },
		{ json: { a: 1, b: 1 }, entry: { a: 0, b: null, c: 3 }, replaced: ['a', 'b'] },
		{ json: { a: 1 }, entry: { a: 1 }, replaced: [] },
		{ json: {}, entry: { a: 1, constructor: 2 }, replaced: [] },
	])(
		'an entry $entry that replaces $replaced of $json is told',
		async ({ json, entry, replaced }) => {
			const hints: string[] = [];
			const options = { includeInputFields: true };
			await getItems([{ json }], [{ output: 1, entry }], {
				options,
				hint: (text) => hints.push(text),
			});
			expect(hints).toEqual(
				replaced.map(
					(name) =>
						`The input field "${name}" was replaced by that of the list entry. To keep it, rename it before this node.`,
				),
			);
		},
	);

	test.each([undefined, true, false])(
		'the tool of an agent returns only the result, with the option %s',
		async (includeInputFields) => {
			const tool = { options: { includeInputFields }, type: 'localLlamaTool' };
			expect(await getItems([{ json: { a: 1 } }], [{ output: 2 }], tool)).toEqual([
				{ json: { output: 2 } },
			]);
		},
	);

	/** Hints about replaced fields: the simulated model chooses no label, which is a hint, too. */
	const getReplacements = ({ hints }: ExecuteFake) =>
		hints.map(({ message }) => message).filter((message) => message.includes('replaced'));
	const REPLACED = (name: string) =>
		`The input field "${name}" was replaced by the result. To keep both, enter another name in the option Output Field.`;

	test.each([
		{ what: 'its default', options: {}, field: 'classification', hints: [] },
		{ what: 'an empty name', options: { outputField: ' ' }, field: 'classification', hints: [] },
		{
			what: 'the name that a chat displays',
			options: { outputField: 'output' },
			field: 'output',
			hints: [REPLACED('output')],
		},
		{ what: 'a new name', options: { outputField: 'label' }, field: 'label', hints: [] },
		{
			what: 'the name of an input field',
			options: { outputField: 'text' },
			field: 'text',
			hints: [REPLACED('text')],
		},
		{
			what: 'no input fields',
			options: { includeInputFields: false },
			field: 'classification',
			hints: [],
		},
	])('Output Field, $what: the result is in $field', async ({ options, field, hints }) => {
		await serve();
		const fake = prepare({
			items: [{ json: MAIL }, { json: MAIL }],
			parameters: { ...CLASSIFY, options },
		});
		const items = await executeIn(fake);
		for (const { json } of items) {
			expect(json).toHaveProperty(field);
			expect([MAIL.text, MAIL.output]).not.toContain(json[field]);
			if (field !== 'output' && !('includeInputFields' in options))
				expect(json.output).toBe('unread');
		}
		expect(getReplacements(fake)).toEqual(hints);
	});

	const CHAIN = [
		{ resource: 'text', operation: 'chat', prompt: 'Hello' },
		{ resource: 'text', operation: 'complete', prompt: 'Hello' },
		{
			resource: 'text',
			operation: 'extract',
			text: 'Berlin',
			fields: { field: [{ name: 'city' }] },
		},
		{ resource: 'vector', operation: 'embed', text: 'Hello' },
		{ resource: 'vector', operation: 'rerank', query: 'Hello', document: 'Hello' },
		CLASSIFY,
	];

	test.each(CHAIN)('$operation: with an Output Field both results are kept', async (parameters) => {
		await serve({ [parameters.operation]: true, embeddings: parameters.operation === 'embed' });
		const json = { output: 'earlier' };
		const kept = prepare({
			items: [{ json }],
			parameters: { ...parameters, options: { outputField: 'later' } },
		});
		const [item] = await executeIn(kept);
		expect(item!.json).toMatchObject(json);
		expect(item!.json).toHaveProperty('later');
		expect(getReplacements(kept)).toEqual([]);
		const field = parameters === CLASSIFY ? 'classification' : 'output';
		const replaced = prepare({ items: [{ json: { [field]: 'earlier' } }], parameters });
		await executeIn(replaced);
		expect(getReplacements(replaced)).toEqual([REPLACED(field)]);
	});

	test('a replaced field metadata and a replaced file get a hint, too', async () => {
		const fake = executeContext({
			type: 'localLlama',
			items: [{ json: { metadata: 1 }, binary: { data: { data: '', mimeType: 'image/png' } } }],
			credentials: {},
			parameters: { options: { simplify: false, includeInputFields: true } },
		});
		const operation = withOutput({
			name: 'Test',
			value: 'test',
			fields: { options: optionsField({}) },
			execute: () =>
				Promise.resolve([{ output: 1, binary: { data: { data: 'b', mimeType: 'audio/mpeg' } } }]),
		});
		const hints: string[] = [];
		await operation.execute({
			context: fake.context,
			itemIndexes: [0],
			itemIndex: 0,
			source: new ItemSource(fake.context, 0),
			sourceOf: (index: number) => new ItemSource(fake.context, index),
			hint: (message: string) => void hints.push(message),
		} as unknown as LlamaCall);
		expect(hints).toEqual([
			'The input field "metadata" was replaced by the metadata of the result. To keep it, turn on Simplify, or rename it before this node.',
			'The input file "data" was replaced by the output file. To keep both, enter another name in the option Put Output File in Field.',
		]);
	});

	test.each(['__proto__', 'constructor', 'prototype', 'metadata', 'error', 'a.b', 'a[0]', 'x"y'])(
		'the Output Field %j is an error before anything is sent',
		async (outputField) => {
			const sim = await serve();
			const error = await execute({
				items: [{ json: {} }],
				parameters: { ...CLASSIFY, options: { outputField } },
			}).then(
				() => undefined,
				(reason: unknown) => reason,
			);
			expect(error).toMatchObject({
				message: `The field "Output Field" must be a plain name, not ${JSON.stringify(outputField)}`,
			});
			expect(sim.requests.filter(({ path }) => path.includes('completions'))).toEqual([]);
		},
	);

	test.each([
		[{}, true],
		[{ options: { includeInputFields: false } }, false],
	])(
		'in the node: Classify with %j: the fields of the email are included: %s',
		async (parameters, isIncluded) => {
			await serve();
			const [item] = await execute({
				items: [{ json: MAIL }],
				parameters: { ...CLASSIFY, ...parameters },
			});
			expect(item!.json.subject).toBe(isIncluded ? 'Hello' : undefined);
			expect(item!.json.output).toBe(isIncluded ? 'unread' : undefined);
			expect(item!.pairedItem).toEqual({ item: 0 });
		},
	);
});
