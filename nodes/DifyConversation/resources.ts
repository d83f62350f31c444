import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import type { DifyOperation } from '../shared/dify/operations';
import { operationChosen, resourceFields } from '../shared/run/operations';
import { conversationDelete } from './conversation/delete';
import { conversationGetAll } from './conversation/get-all';
import { conversationRename } from './conversation/rename';
import { messageGetAll } from './message/get-all';
import { messageGetSuggested } from './message/get-suggested';
import { variableGetAll } from './variable/get-all';
import { variableUpdate } from './variable/update';

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
