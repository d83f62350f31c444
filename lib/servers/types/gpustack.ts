import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import type { ServerType } from './server-type';
import { other } from './other';

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
	texts: SERVER_TEXTS.gpustack,
};
