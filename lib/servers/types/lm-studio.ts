import { sendCommand } from '../send-command';
import type { ModelActions, ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';
import { needsModel, needsOtherServer, OTHER_SERVERS } from '../task-advice';

/** LM Studio (lmstudio.ai/docs/developer). Unknown routes return 200 with an error text. */
export const lmStudio: ServerType = {
	...other,
	name: 'lmStudio',
	label: 'LM Studio',
	modelActions: {
		load: createAction('load', 'model'),
		unload: createAction('unload', 'instance_id'),
	},
	texts: {
		...DEFAULT_TEXTS,
		tools:
			'In LM Studio, choose a model with the hammer badge, or correct the prompt template in the model settings.',
		tasks: {
			decisions: needsModel(
				'Select a decision model, or download one in LM Studio. Classify also works with chat models.',
			),
			completion: needsModel(OTHER_SERVERS.completion),
			embeddings: needsModel(
				'Select an embedding model, or download one in LM Studio, for example nomic-embed-text-v1.5.',
			),
			rerank: needsOtherServer(OTHER_SERVERS.rerank),
			images: needsOtherServer(OTHER_SERVERS.images),
			imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
			transcription: needsOtherServer(OTHER_SERVERS.transcription),
			translation: needsOtherServer(OTHER_SERVERS.translation),
			speech: needsOtherServer(OTHER_SERVERS.speech),
		},
		suggestions: {
			...DEFAULT_TEXTS.suggestions,
			modelNotLoaded:
				'LM Studio unloads idle models, and others to make room (Auto-Evict): turn JIT loading on, or raise the idle time there.',
			modelNotFound:
				'Select the model from the list, load it on the server ("lms load"), or turn on Just-in-Time Model Loading, which loads models on first use.',
		},
	},
};

/**
 * lmstudio.ai/docs/developer/rest: load and unload.
 *
 * @param field - That of the model's name.
 */
function createAction(action: 'load' | 'unload', field: string): ModelActions['load'] {
	return async (server, { model, signal, timeoutMs }) => {
		const json = { [field]: model };
		const command = { model, signal, timeoutMs, json };
		await sendCommand(server, `/api/v1/models/${action}`, command);
		return { before: 'unknown', state: `${action}ed` };
	};
}
