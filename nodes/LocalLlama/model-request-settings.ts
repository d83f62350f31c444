/** The settings of a request to a model, which Local Llama's operations have in common. */
import type { Priority } from '../../lib/http/queue';
import type { ModelTask } from '../../lib/servers/types/server-type';
import type { RequestOptionValues, RequestSettings } from '../shared/fields/request-options';
import { GENERATION_RETRIES, toRequestSettings } from '../shared/fields/request-options';
import { withResolvedModel } from '../shared/fields/model-selection';
import type { LlamaCall } from './run-local-llama';

/** Settings of a request to a model. */
export interface ModelRequestSettings extends RequestSettings {
	/** The selected model, otherwise the loaded one. Empty if the server needs no name. */
	model: string;
	priority: Priority;
	signal: AbortSignal;
}

/** The call of an operation that asks a model. */
export type ModelRequestCall = LlamaCall & {
	values: { readonly model: string; readonly options: RequestOptionValues };
};

/**
 * Reads the options of a request and the model. Without a selected model, it asks the server for its models.
 *
 * @param modelTask - What the model is for, if none is selected.
 * @throws a `ServerError` naming the field, or listing the models, if there are several.
 */
export async function resolveModelRequestSettings(
	{ values, server, priority, signal }: ModelRequestCall,
	modelTask: ModelTask,
): Promise<ModelRequestSettings> {
	const { model, options } = values;
	const requestSettings = toRequestSettings(options, GENERATION_RETRIES);
	const settings = { model, ...requestSettings, priority, signal };
	return await withResolvedModel(settings, { server, modelTask, signal });
}
