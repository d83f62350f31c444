import type { INodeProperties } from 'n8n-workflow';

import { uuid } from '../../../lib/dify/ids';
import { wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import { textsIn } from '../fields';

export const documentIdsField: INodeProperties = {
	displayName: 'Document IDs',
	name: 'documentIds',
	type: 'string',
	default: '={{ $json.documentId }}',
	required: true,
	description: 'Separate several with commas, or give a list',
};

export function documentIdsIn(parameters: NodeParameters): string[] {
	const ids = (textsIn(parameters, 'documentIds') ?? []).map((id) => uuid(id, 'document ID'));
	if (ids.length === 0) throw wrongField(parameters.field('documentIds').label, 'is empty');
	return ids;
}

export const outputField: INodeProperties = {
	displayName: 'Put Output File in Field',
	name: 'outputField',
	type: 'string',
	default: 'data',
	required: true,
	hint: 'The name of the output binary field to put the file in',
};
