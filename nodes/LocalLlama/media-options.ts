import type { INodeProperties } from 'n8n-workflow';
import type { TaskSettings } from '../../lib/tasks/run-task';
import { requestFields } from '../shared/chat/generation-fields';
import { stringField } from '../shared/field-builders';
import { GENERATION_RETRIES, secondsField, readRequestSettings } from '../shared/timeout-fields';
import type { LlamaCall } from './operation';

/** Options of image and audio operations: additional fields, timeout, retries. */
export const mediaFields: INodeProperties[] = [
	...requestFields.filter(({ name }) => name === 'extraBody' || name === 'priority'),
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		1800,
		'How long to wait until the server starts to respond: it sends nothing while it processes an image or a recording. 0 = no limit.',
	),
	{
		...requestFields.find(({ name }) => name === 'maxRetries')!,
		description:
			'How often to retry after a refused connection or when the server is busy. A request that the server may have started is never sent again.',
	},
];

/** Reads these options and the model. */
export function readMediaSettings({ parameters, priority, signal }: LlamaCall): TaskSettings {
	const requestSettings = readRequestSettings(parameters, GENERATION_RETRIES);
	return { model: parameters.string('model'), ...requestSettings, priority, signal };
}

/** Field for the name of the input binary field. */
export function inputFileField(description: string): INodeProperties {
	return stringField('Input Binary Field', 'binaryPropertyName', {
		required: true,
		default: 'data',
		hint: 'The name of the input binary field that contains the file',
		description,
	});
}

export function fileNameField(defaultValue: string): INodeProperties {
	return stringField('File Name', 'fileName', {
		default: defaultValue,
		description: 'Without extension; the extension follows from the file type',
	});
}
