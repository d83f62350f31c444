import type { ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';
import { needsModel, OTHER_SERVERS } from '../task-advice';

/** LiteLLM's proxy, recognized by its headers, or by the date that it reports for all models (litellm/constants.py). */
export const litellm: ServerType = {
	...other,
	name: 'litellm',
	label: 'LiteLLM',
	isGateway: true,
	texts: {
		...DEFAULT_TEXTS,
		tasks: {
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
