import type { INodeProperties } from 'n8n-workflow';

import { uuid } from '../../../lib/dify/ids';
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

export const annotationIdField: INodeProperties = {
	displayName: 'Annotation',
	name: 'annotationId',
	type: 'resourceLocator',
	default: { mode: 'list', value: '' },
	required: true,
	modes: [
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			placeholder: 'Select an annotation…',
			typeOptions: { searchListMethod: 'searchAnnotations', searchable: true },
		},
		{ displayName: 'By ID', name: 'id', type: 'string', placeholder: 'e.g. 0cec048f-d817-45c2-b3e0-988d74d56261' },
	],
};

export const idIn = ({ parameters }: DifyCall) => uuid(parameters.value('annotationId'), 'annotation ID');

export const textsIn = ({ parameters }: DifyCall) => ({
	question: parameters.freeText('question'),
	answer: parameters.freeText('answer'),
});
