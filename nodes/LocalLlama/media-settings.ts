/** Options and settings of operations for images and audio. Those that generate text have more. */
import type { INodeProperties } from 'n8n-workflow';
import type { Priority } from '../../lib/http/queue';
import type { ModelTask } from '../../lib/servers/types/server-type';
import type { RequestSettings } from '../shared/timeout-fields';
import { GENERATION_RETRIES, secondsField, readRequestSettings } from '../shared/timeout-fields';
import { requestFields } from '../shared/chat/generation';
import { withResolvedModel } from '../shared/model-selection';
import type { LlamaCall } from './run-local-llama';

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

/** Settings of a request to a model. */
export interface MediaSettings extends RequestSettings {
	/** The selected model, otherwise the loaded one. Empty if the server needs no name. */
	model: string;
	priority: Priority;
	signal: AbortSignal;
}

/**
 * Reads these options and the model.
 *
 * @param task - What the model is for, if none is selected.
 */
export async function readMediaSettings(call: LlamaCall, task: ModelTask): Promise<MediaSettings> {
	const { parameters, server, priority, signal } = call;
	const requestSettings = readRequestSettings(parameters, GENERATION_RETRIES);
	const settings = { model: parameters.string('model'), ...requestSettings, priority, signal };
	return await withResolvedModel(settings, { server, task, signal });
}
