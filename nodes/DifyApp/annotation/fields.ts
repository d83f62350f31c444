import { uuid } from '../../../lib/dify/ids';
import { locatorField } from '../../shared/dify/fields';
import { longTextField, stringField } from '../../shared/field-kinds';
import type { NodeParameters } from '../../shared/parameters';

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

export function annotationIdIn(parameters: NodeParameters): string {
	return uuid(parameters.value('annotationId'), 'annotation ID');
}
