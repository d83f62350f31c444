import { uuid } from '../../../lib/dify/ids';
import { locatorField } from '../../shared/dify/fields';
import type { DifyCall } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';

export const questionField = stringField('Question', 'question', {
	required: true,
	description: 'What users ask',
});

export const answerField = stringField('Answer', 'answer', {
	typeOptions: { rows: 4 },
	required: true,
	description: 'What the app answers then, word for word',
});

export const annotationIdField = locatorField('Annotation', 'annotationId', 'searchAnnotations', { required: true });

export const idIn = ({ parameters }: DifyCall) => uuid(parameters.value('annotationId'), 'annotation ID');

export const textsIn = ({ parameters }: DifyCall) => ({
	question: parameters.freeText('question'),
	answer: parameters.freeText('answer'),
});
