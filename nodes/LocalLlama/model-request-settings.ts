/** The settings of a request to a model, which Local Llama's operations have in common. */
import type { Priority } from '../../lib/http/queue';
import type { ModelTask } from '../../lib/servers/types/server-type';
import type { RequestSettings } from '../shared/timeout-fields';
import { GENERATION_RETRIES, readRequestSettings } from '../shared/timeout-fields';
import { withResolvedModel } from '../shared/model-selection';
import type { LlamaCall } from './run-local-llama';

/** Settings of a request to a model. */
export interface ModelRequestSettings extends RequestSettings {
	/** The selected model, otherwise the loaded one. Empty if the server needs no name. */
	model: string;
	priority: Priority;
	signal: AbortSignal;
}

/**
 * Reads the options of a request and the model. Without a selected model, it asks the server for its models.
 *
 * @param modelTask - What the model is for, if none is selected.
 * @throws a `ServerError` naming the field, or listing the models, if there are several.
 */
export async function resolveModelRequestSettings(
	call: LlamaCall,
	modelTask: ModelTask,
): Promise<ModelRequestSettings> {
	const { parameters, server, priority, signal } = call;
	const requestSettings = readRequestSettings(parameters, GENERATION_RETRIES);
	const settings = { model: parameters.string('model'), ...requestSettings, priority, signal };
	return await withResolvedModel(settings, { server, modelTask, signal });
}
