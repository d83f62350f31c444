import { listAnnotations } from '../../../lib/dify/app/annotations';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';
import { limitIn, pagingFields } from '../../shared/dify/fields';
import { stringField } from '../../shared/field-kinds';

export const annotationGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many annotations',
		description: 'Questions and answers of the app, with how often each was used',
	},
	fields: [
		stringField('Keyword', 'keyword', {
			description: 'Only annotations with this text in the question or the answer. Empty: all.',
		}),
		...pagingFields,
	],
	run: async ({ client, parameters }) =>
		itemsOf(await listAnnotations(client, parameters.name('keyword'), limitIn(parameters))),
};
