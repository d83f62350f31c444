import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import type { DifyOperation } from '../shared/dify/operations';
import { operationChosen, resourceFields } from '../shared/operations';
import { conversationDelete } from './conversationDelete';
import { conversationGetAll } from './conversationGetAll';
import { conversationRename } from './conversationRename';
import { messageGetAll } from './messageGetAll';
import { messageGetSuggested } from './messageGetSuggested';
import { variableGetAll } from './variableGetAll';
import { variableUpdate } from './variableUpdate';

const RESOURCES = {
	conversation: { operations: [conversationDelete, conversationGetAll, conversationRename], preset: 'getAll' },
	message: { operations: [messageGetAll, messageGetSuggested], preset: 'getAll' },
	variable: { operations: [variableGetAll, variableUpdate], preset: 'getAll' },
};

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

export const properties: INodeProperties[] = [resourceField, ...resourceFields(RESOURCES)];

/** The operation that an item chooses. */
export function operationOf(context: IExecuteFunctions, itemIndex: number): DifyOperation {
	return operationChosen(context, itemIndex, resourceField, RESOURCES);
}
