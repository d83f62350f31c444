import { uuid } from '../../../lib/dify/ids';
import { outputField as outputFieldOf } from '../../shared/dify/fields';
import { stringField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import { textsIn } from '../fields';

export const documentIdsField = stringField('Document IDs', 'documentIds', {
	default: '={{ $json.documentId }}',
	required: true,
	description: 'Separate several with commas, or give a list',
});

export function documentIdsIn(parameters: NodeParameters): string[] {
	const ids = (textsIn(parameters, 'documentIds') ?? []).map((id) => uuid(id, 'document ID'));
	if (ids.length === 0) throw wrongField(parameters.field('documentIds').label, 'is empty');
	return ids;
}

export const outputField = outputFieldOf('outputField', { required: true });
