import { bodyOf, ownsAnyModel, says, textIn } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * GPUStack, a gateway to vLLM, llama-server and others: it takes the fields of the engine behind the model
 * (docs/protocols/llama-server.md 8.3).
 */
export const gpustack: ServerKind = {
	...openAiCompatible,
	label: 'GPUStack',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		ownsAnyModel(answers, 'gpustack') ||
		'git_commit' in bodyOf(answers.version) ||
		says(answers.models, ({ code, reason }) => code === 401 && reason === 'Unauthorized'),
	version: (answers) => textIn(answers, 'version', 'version'),
	// It lists a model only while an instance runs.
	models: {
		areAllLoaded: true,
		// gpustack.ai, API reference
		uses: {
			name: 'categories',
			words: {
				embeddings: 'embedding',
				reranking: 'reranker',
				images: 'image',
				transcription: 'speech_to_text',
				speech: 'text_to_speech',
			},
		},
	},
	rerank: { aliasWithoutRoute: '/v1-openai' },
	media: { knownFor: ['images', 'transcription', 'speech'], needsModel: true },
	words: {
		...openAiCompatible.words,
		noModels:
			'Deploy a model in GPUStack, wait until an instance of it runs, and allow the key to use it.',
		missingModel: () =>
			'deploy it in GPUStack; it is listed only while an instance runs and the key may use it.',
	},
};
