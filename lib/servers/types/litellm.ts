import type { JsonRecord } from '../../values/records';
import { asRecord, asRecords } from '../../values/records';
import { tryProbeObject } from '../probe';
import type { ServerModel } from '../server-model';
import type { ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';
import { needsModel, OTHER_SERVERS } from '../task-advice';

/** LiteLLM's proxy, recognized by its headers, or by the date that it reports for all models (litellm/constants.py). */
export const litellm: ServerType = {
	...other,
	name: 'litellm',
	label: 'LiteLLM',
	isGateway: true,
	fetchModel: async (server, model, options) => ({
		id: model,
		aliases: [],
		...readCapabilities(await tryProbeObject(server, '/model/info', options), model),
	}),
	texts: {
		...DEFAULT_TEXTS,
		suggestions: {
			...DEFAULT_TEXTS.suggestions,
			modalityUnsupported:
				'Use a model that supports it, or correct the entry of this one in LiteLLM (model_info: supports_vision). If the model does not need the images, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
		},
		keyBehind:
			'LiteLLM lists this model for the credential, so it is not its key: correct the key of the server behind LiteLLM (api_key of the model in its configuration).',
		modelBehind:
			'LiteLLM lists this model, so the server behind it has no model of that name: correct the name in its configuration (model in litellm_params), or download the model there.',
		tasks: {
			decisions: needsModel(
				'Select a decision model, or add one to the LiteLLM configuration. Classify also works with chat models.',
			),
			completion: needsModel(OTHER_SERVERS.completion),
			embeddings: needsModel(
				'Select an embedding model, or add one to the LiteLLM configuration (model_info: mode: embedding).',
			),
			rerank: needsModel(
				'In the LiteLLM configuration, give a reranker model a provider that supports reranking, for example jina_ai/NAME with the URL of the endpoint (http://HOST:9931/v1/rerank).',
			),
			images: needsModel(
				'Select an image model, or add one to the LiteLLM configuration (model_info: mode: image_generation).',
			),
			imageEdits: needsModel(
				'Select a model that edits images, or add one to the LiteLLM configuration (model_info: mode: image_edit).',
			),
			transcription: needsModel(
				'Select a speech-to-text model, or add one to the LiteLLM configuration (model_info: mode: audio_transcription).',
			),
			// LiteLLM has no /v1/audio/translations.
			translation: needsModel(OTHER_SERVERS.translation),
			speech: needsModel(
				'Select a text-to-speech model, or add one to the LiteLLM configuration (model_info: mode: audio_speech).',
			),
		},
	},
};

/**
 * Only a declaration says what a model lacks: an unknown model has null there (seen: 1.108.7). A name with several entries
 * lacks it if each does.
 */
function readCapabilities(
	info: JsonRecord | undefined,
	model: string,
): Pick<ServerModel, 'vision'> {
	const entries = asRecords(info?.data).filter(({ model_name: name }) => name === model);
	const isDeclared = (entry: JsonRecord) => asRecord(entry.model_info).supports_vision === false;
	return entries.length > 0 && entries.every(isDeclared) ? { vision: false } : {};
}
