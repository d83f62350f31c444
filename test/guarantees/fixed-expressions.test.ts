/** An expression that was typed as fixed text never does the same nonsense for each item. */
import type { INodeParameters, INodeType, NodeOperationError } from 'n8n-workflow';

import { NODES } from '../faults/operations';
import { startGoodServer } from '../faults/good-server';
import type { GoodServer } from '../faults/good-server';
import { everyOperation, withLowLimits } from '../support/n8n/every-operation';
import type { FilledNode } from '../support/n8n/every-operation';
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
