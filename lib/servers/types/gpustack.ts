import type { ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';

/**
 * GPUStack, a gateway to vLLM, llama-server and others: it accepts the fields of the model's engine, and lists a
 * model only while an instance runs (docs/protocols/llama-server.md 8.3; gpustack.ai, API reference).
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
		transcription:
			'Select a speech-to-text model, or deploy one in GPUStack, for example whisper-large-v3.',
		noModels:
			'Deploy a model in GPUStack, wait until one of its instances is running, and give the key access to it.',
		missingModel: () =>
			'deploy it in GPUStack; it is listed only while an instance is running and the key has access to it.',
	},
};
