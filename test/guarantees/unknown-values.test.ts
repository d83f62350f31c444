/** A value out of an expression that is no value of its field is an error before anything is sent. */
import { NodeHelpers } from 'n8n-workflow';
import type { IExecuteFunctions, INodeParameters, INodeProperties, INodeType } from 'n8n-workflow';

import { DifyApp } from '../../nodes/DifyApp/DifyApp.node';
import { DifyChatMessage } from '../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyKnowledge } from '../../nodes/DifyKnowledge/DifyKnowledge.node';
import { DifyWorkflow } from '../../nodes/DifyWorkflow/DifyWorkflow.node';
import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { ServerHealth } from '../../nodes/ServerHealth/ServerHealth.node';
import { everyOperation, withLowLimits } from '../support/n8n/every-operation';
import { executeContext } from '../support/n8n/execute-context';

const NODES: INodeType[] = [
	new DifyApp(),
	new DifyChatMessage(),
	new DifyConversation(),
	new DifyFeedback(),
	new DifyKnowledge(),
	new DifyWorkflow(),
	new LocalLlama(),
	new ServerHealth(),
];
jest.mock('../../lib/http/sleep', () =>
	jest.requireActual<object>('../support/waiting/mock-sleep'),
);

const UNKNOWN = 'no-such-value';
/** Read only when a document is created, after requests. */
const READ_LATER = ['Chunking', 'Form', 'Technique'].map((label) => `document sync: ${label}`);

const isList = ({ type }: INodeProperties) => type === 'options' || type === 'multiOptions';

/** The parameters with an unknown value in one list each, by the label of the list. */
function* withUnknownValues(
	{ description }: INodeType,
	parameters: INodeParameters,
): Generator<[label: string, parameters: INodeParameters]> {
	for (const field of description.properties) {
		if (!NodeHelpers.displayParameter(parameters, field, null, description)) continue;
		const value = (list: INodeProperties) => (list.type === 'options' ? UNKNOWN : [UNKNOWN]);
		if (isList(field)) yield [field.displayName, { ...parameters, [field.name]: value(field) }];
		if (field.type !== 'collection') continue;
		for (const option of (field.options as INodeProperties[]).filter(isList)) {
			const values = parameters[field.name] as INodeParameters;
			if (!NodeHelpers.displayParameter(values, option, null, description, parameters)) continue;
			const options = { ...values, [option.name]: value(option) };
			yield [option.displayName, { ...parameters, [field.name]: options as INodeParameters }];
		}
	}
}

/** Knowledge bases have their own keys. */
const keyOf = (type: string) =>
	/knowledge/i.test(type)
		? { apiKey: ['dataset', '0123456789'].join('-'), keyType: 'knowledge' }
		: { apiKey: ['app', '0123456789'].join('-'), keyType: 'app' };

async function getMessage(node: INodeType, type: string, parameters: INodeParameters) {
	const { context } = executeContext({
		items: [
			{
				json: {},
				binary: { data: { data: 'aGVsbG8=', mimeType: 'audio/mpeg', fileName: 'a.mp3' } },
			},
		],
		parameters,
		credentials: { baseUrl: 'http://127.0.0.1:9/v1', ...keyOf(type) },
		type,
	});
	const run = node.execute!.call(context as IExecuteFunctions);
	return await run.then(
		() => 'no error',
		(error: Error) => error.message,
	);
}

test.each(NODES.map((node) => [node.description.displayName, node] as const))(
	'an unknown saved value of a list is an error that names it: %s',
	async (_name, node) => {
		const silent: string[] = [];
		for (const filled of everyOperation(node.description).map(withLowLimits))
			for (const [label, parameters] of withUnknownValues(
				node,
				filled.parameters as INodeParameters,
			)) {
				const message = await getMessage(node, filled.type, parameters);
				const listName = `${filled.name}: ${label}`;
				const isLater = READ_LATER.some((name) => listName.endsWith(name));
				if (!message.includes(UNKNOWN) && !isLater) silent.push(`${listName}: ${message}`);
			}
		expect(silent).toEqual([]);
	},
);
