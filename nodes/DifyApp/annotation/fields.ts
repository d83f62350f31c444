import { uuid } from '../../../lib/dify/ids';
import { locatorField } from '../../shared/dify/fields';
import type { DifyCall } from '../../shared/dify/run';
import { longTextField, stringField } from '../../shared/field-kinds';

export const questionField = stringField('Question', 'question', {
	required: true,
	description: 'What users ask',
});

export const answerField = longTextField('Answer', 'answer', 4, {
	required: true,
	description: 'What the app answers then, word for word',
});

export const annotationIdField = locatorField('Annotation', 'annotationId', 'searchAnnotations', {
	required: true,
});

export const idIn = ({ parameters }: DifyCall) =>
	uuid(parameters.value('annotationId'), 'annotation ID');

export const textsIn = ({ parameters }: DifyCall) => ({
	question: parameters.freeText('question'),
	answer: parameters.freeText('answer'),
});
