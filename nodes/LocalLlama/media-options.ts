import type { INodeProperties } from 'n8n-workflow';

import type { TaskSettings } from '../../lib/tasks/task';
import { generationFields } from '../shared/chat/generation-fields';
import { stringField } from '../shared/field-kinds';
import { GENERATION_RETRIES, limit, readWait } from '../shared/limit-fields';
import type { LlamaCall } from './operation';

/** Options of every request for pictures and sound: further fields, limit, retries. */
export const mediaFields: INodeProperties[] = [
	...generationFields.filter(({ name }) => name === 'extraBody' || name === 'priority'),
	limit(
		'First Token Limit (Seconds)',
		'firstTokenLimit',
		1800,
		'How long to wait until the server begins to answer: it sends nothing while it works on a picture or a recording. 0 = no limit.',
	),
	{
		...generationFields.find(({ name }) => name === 'maxRetries')!,
		description:
			'Tries after a refused connection or a server that is too busy. What the server may have begun is never sent again.',
	},
];

/** Reads the options above, and the model. */
export function mediaSettings({ parameters, priority, signal }: LlamaCall): TaskSettings {
	const patience = readWait(parameters, GENERATION_RETRIES);
	return { model: parameters.name('model'), ...patience, priority, signal };
}

/** Field for the name of the item's binary field. */
export function inputFileField(description: string): INodeProperties {
	return stringField('Input Binary Field', 'binaryPropertyName', {
		required: true,
		default: 'data',
		hint: 'The name of the field of the item that holds the file',
		description,
	});
}

export function fileNameField(preset: string): INodeProperties {
	return stringField('File Name', 'fileName', {
		default: preset,
		description: 'Without its extension, which says what the file is',
	});
}
