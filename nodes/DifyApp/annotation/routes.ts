import { annotationRoutes } from '../../../lib/dify/app/routes';
import { pagingFields } from '../../shared/dify/fields';
import { appOperation, readName, readText } from '../../shared/dify/route-operation';
import { stringField } from '../../shared/field-kinds';
import { annotationIdField, annotationIdIn, answerField, questionField } from './fields';

export const annotationGetAll = appOperation({
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
	route: annotationRoutes.list,
	values: { keyword: readName('keyword') },
});

export const annotationCreate = appOperation({
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create an annotation',
		description: 'Add a question with its answer, also where the same question is there already',
	},
	fields: [questionField, answerField],
	route: annotationRoutes.create,
	values: { question: readText('question'), answer: readText('answer') },
});

export const annotationDelete = appOperation({
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete an annotation',
		description: 'Remove an annotation',
	},
	fields: [annotationIdField],
	route: annotationRoutes.delete,
	values: { annotation_id: annotationIdIn },
	items: (_, { annotation_id: annotationId }) => ({ success: true, annotationId }),
});
