import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { operationNamed, type DifyOperation } from '../shared/dify/operations';
import { operationField, operationFields } from '../shared/operations';
import { NodeParameters } from '../shared/parameters';
import { conversationDelete } from './conversationDelete';
import { conversationGetAll } from './conversationGetAll';
import { conversationRename } from './conversationRename';
import { messageGetAll } from './messageGetAll';
import { messageGetSuggested } from './messageGetSuggested';
import { variableGetAll } from './variableGetAll';
import { variableUpdate } from './variableUpdate';

const RESOURCES = {
	conversation: [conversationDelete, conversationGetAll, conversationRename],
	message: [messageGetAll, messageGetSuggested],
	variable: [variableGetAll, variableUpdate],
};
type Resource = keyof typeof RESOURCES;

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Conversation', value: 'conversation' },
		{ name: 'Message', value: 'message' },
		{ name: 'Variable', value: 'variable' },
	],
	default: 'conversation',
};

export const properties: INodeProperties[] = [
	resourceField,
	...Object.entries(RESOURCES).map(([name, operations]) => operationField(operations, 'getAll', { resource: [name] })),
	...Object.entries(RESOURCES).flatMap(([name, operations]) => operationFields(operations, { resource: [name] })),
];

/** The operation that an item chooses. */
export function operationOf(context: IExecuteFunctions, itemIndex: number): DifyOperation {
	const resource = new NodeParameters(context, itemIndex, [resourceField]).choice<Resource>('resource');
	return operationNamed(RESOURCES[resource], String(context.getNodeParameter('operation', itemIndex, 'getAll')));
}
