import type { ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';
import { needsModel, needsOtherServer, OTHER_SERVERS } from '../task-advice';

/**
 * GPUStack, a gateway to vLLM, llama-server and others: it accepts the fields of the model's engine, and lists a
 * model only while an instance runs (docs/protocols/gpustack.md; gpustack.ai, API reference).
 */
export const gpustack: ServerType = {
	...other,
	name: 'gpustack',
	label: 'GPUStack',
	isGateway: true,
	listQueries: {
		embeddings: '?categories=embedding',
		reranking: '?categories=reranker',
		images: '?categories=image',
		transcription: '?categories=speech_to_text',
		speech: '?categories=text_to_speech',
	},
	texts: {
		...DEFAULT_TEXTS,
		noModels:
			'Deploy a model in GPUStack, wait until one of its instances is running, and give the key access to it.',
		tasks: {
			decisions: needsOtherServer(OTHER_SERVERS.decisions),
			completion: needsModel(
				'Use Chat instead of Complete, or select a text model: not every engine completes text.',
			),
			embeddings: needsModel(
				'Select an embedding model, or deploy one in GPUStack, for example Qwen3-Embedding-0.6B.',
			),
			rerank: needsModel(
				'Select a reranker model, or deploy one in GPUStack, for example bge-reranker-v2-m3.',
			),
			images: needsModel(
				'Select an image model, or deploy one in GPUStack, for example Qwen-Image.',
			),
			imageEdits: needsModel(
				'Select a model that edits images, or deploy one in GPUStack, for example Qwen-Image-Edit.',
			),
			transcription: needsModel(
				'Select a speech-to-text model, or deploy one in GPUStack, for example whisper-large-v3.',
			),
			translation: needsModel(
				'Turn off Translate to English and translate with a chat model, or select a speech-to-text model that translates.',
			),
			speech: needsModel(
				'Select a text-to-speech model, or deploy one in GPUStack, for example CosyVoice.',
			),
		},
		missingModel: () =>
			'deploy it in GPUStack; it is listed only while an instance is running and the key has access to it.',
	},
};
