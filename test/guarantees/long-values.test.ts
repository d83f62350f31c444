/** Whatever a field contains, what a person reads of it is short, and says at its end what to do. */
import type { INodeParameters, INodeProperties, INodeType, NodeOperationError } from 'n8n-workflow';

import { NODES } from '../faults/operations';
import { startGoodServer } from '../faults/good-server';
import type { GoodServer } from '../faults/good-server';
import { everyOperation, withLowLimits } from '../support/n8n/every-operation';
import type { FilledNode } from '../support/n8n/every-operation';
import { executeContext } from '../support/n8n/execute-context';

/** An operation with a long text in one field. */
interface LongField {
	/** The operation and the field. */
	name: string;
	parameters: INodeParameters;
	filled: FilledNode;
	node: INodeType;
}

/** Fields that take any text, from an expression or typed. */
const TEXT_FIELDS = ['string', 'json', 'resourceLocator'];
/** No word has an end at which a text may be cut. */
const LONG_TEXT = 'n'.repeat(100_000);
/** Characters of a notification, of the text below it, and of a hint. */
const MAX_LENGTHS = { title: 1000, description: 6000, hint: 2000 };

let server: GoodServer;
beforeAll(async () => {
	server = await startGoodServer();
});
afterAll(async () => await server.close());

async function listLongFields(nodeName: string): Promise<LongField[]> {
	const module = (await import(`../../nodes/${nodeName}/${nodeName}.node`)) as Record<
		string,
		new () => INodeType
	>;
	const node = new module[nodeName]!();
	if (node.execute === undefined) return [];
	return everyOperation(node.description)
		.map(withLowLimits)
		.flatMap((filled) => {
			const isText = ({ type }: INodeProperties) => TEXT_FIELDS.includes(type);
			const fields = filled.fields.filter(isText).map(({ name, type }) => ({
				name: `${filled.name}: ${name}`,
				parameters: {
					...filled.parameters,
					[name]:
						type === 'resourceLocator' ? { __rl: true, mode: 'id', value: LONG_TEXT } : LONG_TEXT,
				} as INodeParameters,
			}));
			const offered = filled.fields.find(({ name }) => name === 'options')?.options ?? [];
			const options = (offered as INodeProperties[]).filter(isText).map(({ name }) => ({
				name: `${filled.name}: option ${name}`,
				parameters: {
					...filled.parameters,
					options: { ...(filled.parameters.options as INodeParameters), [name]: LONG_TEXT },
				} as INodeParameters,
			}));
			return [...fields, ...options].map((field) => ({ ...field, filled, node }));
		});
}

it.each(NODES)('%s: a long text in a field makes no long title, advice or hint', async (node) => {
	const problems: string[] = [];
	for (const { name, parameters, filled, node: type } of await listLongFields(node)) {
		const isDify = filled.credentials.includes('difyApi');
		const { context, hints } = executeContext({
			items: [{ json: {}, binary: { data: { data: 'aGVsbG8=', mimeType: 'text/plain' } } }],
			parameters,
			credentials: { baseUrl: `${server.at(name)}${isDify ? '/v1' : ''}`, apiKey: 'a-key' },
			type: filled.type,
		});
		const error = await type.execute!.call(context).then(
			() => undefined,
			(reason: unknown) => reason as NodeOperationError,
		);
		const shown = [
			{ kind: 'title' as const, text: error?.message ?? '' },
			{ kind: 'description' as const, text: error?.description ?? '' },
			...hints.map(({ message }) => ({ kind: 'hint' as const, text: message })),
		];
		for (const { kind, text } of shown)
			if (text.length > MAX_LENGTHS[kind])
				problems.push(`${name}: a ${kind} of ${text.length} characters, ${text.slice(0, 80)}`);
	}
	expect(problems).toEqual([]);
});
