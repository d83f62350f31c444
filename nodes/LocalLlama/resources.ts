import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { operationNamed, resourceFields } from '../shared/run/operations';
import { NodeParameters } from '../shared/parameters';
import { adapter } from './adapter';
import { audio } from './audio';
import { image } from './image';
import { model } from './model';
import type { LocalLlamaOperation, LocalLlamaResource } from './operation';
import { slot } from './slot';
import { text } from './text';
import { token } from './token';
import { vector } from './vector';

/** Every resource of the node, in the order of their names, as n8n shows them. */
const RESOURCES: readonly LocalLlamaResource[] = [adapter, audio, image, model, slot, text, token, vector];

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: RESOURCES.map(({ option }) => option),
	default: 'text',
};

export const properties: INodeProperties[] = [
	resourceField,
	...resourceFields(Object.fromEntries(RESOURCES.map((resource) => [resource.option.value, resource]))),
];

/** The operation that an item chooses. */
export function operationOf(
	context: IExecuteFunctions,
	itemIndex: number,
): LocalLlamaOperation & Pick<LocalLlamaResource, 'isOfOneServer'> {
	const chosen = new NodeParameters(context, itemIndex, [resourceField]).choice('resource');
	const { operations, preset, isOfOneServer } = RESOURCES.find(({ option }) => option.value === chosen)!;
	const operation = operationNamed(operations, String(context.getNodeParameter('operation', itemIndex, preset)));
	return isOfOneServer === true ? { ...operation, isOfOneServer } : operation;
}
