/** An expression that was typed as fixed text never does the same nonsense for each item. */
import type { INodeParameters, INodeType, NodeOperationError } from 'n8n-workflow';

import { NODES } from '../faults/operations';
import { startGoodServer } from '../faults/good-server';
import type { GoodServer } from '../faults/good-server';
import { everyOperation, withLowLimits } from '../support/n8n/every-operation';
import type { FilledNode } from '../support/n8n/every-operation';
import { fakeContext } from '../support/n8n/context';
import { executeContext } from '../support/n8n/execute-context';

/** A required field of an operation. */
interface RequiredField {
	/** The operation and the field. */
	name: string;
	label: string;
	parameters: INodeParameters;
	filled: FilledNode;
	node: INodeType;
}

const EXPRESSION = '{{ $json.text }}';
const SHARED_ID = 'd0c5e7a1-7a40-4b0c-9d1e-5b2f8a6c7d90';

const toLocator = (value: string): object => ({ __rl: true, mode: 'id', value });

let server: GoodServer;
beforeAll(async () => {
	server = await startGoodServer();
});
afterAll(async () => await server.close());

async function listRequiredFields(nodeName: string): Promise<RequiredField[]> {
	const module = (await import(`../../nodes/${nodeName}/${nodeName}.node`)) as Record<
		string,
		new () => INodeType
	>;
	const node = new module[nodeName]!();
	if (node.execute === undefined) return [];
	return everyOperation(node.description)
		.map(withLowLimits)
		.flatMap((filled) =>
			filled.fields
				.filter(({ required, type }) => required && ['string', 'resourceLocator'].includes(type))
				.map(({ name: field, displayName: label, type }) => {
					const value =
						type === 'string' ? EXPRESSION : { __rl: true, mode: 'id', value: EXPRESSION };
					const parameters = { ...filled.parameters, [field]: value } as INodeParameters;
					return { name: `${filled.name}: ${label}`, label, parameters, filled, node };
				}),
		);
}

/** The fields and options of a sub-node that take text, each with an expression that was typed as fixed text. */
const SUB_NODE_FIELDS = [
	{ name: 'LocalChatModel', label: 'Model', parameters: { model: toLocator(EXPRESSION) } },
	{ name: 'LocalChatModel', label: 'Grammar', parameters: { grammar: `root ::= "${EXPRESSION}"` } },
	{
		name: 'LocalChatModel',
		label: 'Extra Body',
		parameters: { options: { extraBody: `{ "user": "${EXPRESSION}" }` } },
	},
	{
		name: 'LocalEmbeddings',
		label: 'Document Prefix',
		parameters: { options: { documentPrefix: EXPRESSION } },
	},
	{ name: 'LocalReranker', label: 'Model', parameters: { model: toLocator(EXPRESSION) } },
	{
		name: 'DifyRetriever',
		label: 'Metadata Filters: Value',
		parameters: {
			difyDatasetIds: [SHARED_ID],
			metadataFilters: { condition: [{ field: 'city', operator: 'is', value: EXPRESSION }] },
		},
	},
];

it.each(SUB_NODE_FIELDS)('$name: $label, an error of the sub-node', async (row) => {
	const { name, label, parameters } = row;
	const module = (await import(`../../nodes/${name}/${name}.node`)) as Record<
		string,
		new () => INodeType
	>;
	const baseUrl = `${server.at(name)}${name === 'DifyRetriever' ? '/v1' : ''}`;
	const { context } = fakeContext(parameters, { baseUrl, apiKey: 'a-key', keyType: 'knowledge' });
	await expect(new module[name]!().supplyData!.call(context, 0)).rejects.toMatchObject({
		message: expect.stringContaining(
			`The field "${label}" is fixed text with an expression in it`,
		) as string,
	});
	expect(server.to(name)).toEqual([]);
});

it.each(NODES)('%s: in a required field, it is an error before anything is sent', async (node) => {
	for (const { name, label, parameters, filled, node: type } of await listRequiredFields(node)) {
		const isDify = filled.credentials.includes('difyApi');
		const { context, hints } = executeContext({
			items: [{ json: {}, binary: { data: { data: 'aGVsbG8=', mimeType: 'text/plain' } } }],
			parameters,
			written: parameters,
			credentials: { baseUrl: `${server.at(name)}${isDify ? '/v1' : ''}`, apiKey: 'a-key' },
			type: filled.type,
		});
		const error = await type.execute!.call(context).then(
			() => undefined,
			(reason: unknown) => reason as NodeOperationError,
		);
		expect({
			name,
			message: error?.message,
			cure: error?.description,
			hints: hints.map(({ message }) => message),
			sent: server.to(name).map(({ line }) => line),
		}).toEqual({
			name,
			message: `The field "${label}" is fixed text with an expression in it`,
			cure: 'Switch the field to Expression (the toggle above it), so that n8n fills in the value.',
			hints: [],
			sent: [],
		});
	}
});
