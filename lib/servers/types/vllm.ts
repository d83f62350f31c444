import type { ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';
import { needsModel, needsOtherServer, OTHER_SERVERS } from '../task-advice';

/** vLLM (docs/protocols/vllm.md; vLLM's sampling parameters). */
export const vllm: ServerType = {
	...other,
	name: 'vllm',
	label: 'vLLM',
	benchmarkFields: { ignore_eos: true },
	supportedFields: ['topK', 'minP', 'repeatPenalty', 'parallelToolCalls'],
	fieldNames: { repeatPenalty: 'repetition_penalty' },
	// vllm/entrypoints/openai/chat_completion/protocol.py: all efforts, and `thinking_token_budget`.
	thinking: { switch: 'template', budgetFields: ['thinking_token_budget'] },
	toGrammarFields: (grammar) => ({ structured_outputs: { grammar } }),
	toolChoiceSupport: 'named',
	supportsBase64: true,
	texts: {
		...DEFAULT_TEXTS,
		missingModel: () => 'start vLLM with --served-model-name.',
		context: (tokens) => `Start vLLM with --max-model-len ${tokens}.`,
		tools: 'Start vLLM with --enable-auto-tool-choice and the --tool-call-parser of the model.',
		tasks: {
			decisions: needsOtherServer(OTHER_SERVERS.decisions),
			completion: needsModel(
				'Use Chat instead of Complete, or start vLLM with a model that generates text: vLLM serves one model.',
			),
			embeddings: needsModel(
				'Start vLLM with an embedding model (--runner pooling): vLLM serves one model.',
			),
			rerank: needsModel(
				'Start vLLM with a reranker model (--runner pooling): vLLM serves one model.',
			),
			images: needsOtherServer(OTHER_SERVERS.images),
			imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
			transcription: needsModel(
				'Start vLLM with a model for transcription, such as openai/whisper-large-v3: vLLM serves one model.',
			),
			translation: needsModel(
				'Start vLLM with a model that translates, such as openai/whisper-large-v3, or turn off Translate to English and translate with a chat model.',
			),
			speech: needsOtherServer(OTHER_SERVERS.speech),
		},
		suggestions: {
			...DEFAULT_TEXTS.suggestions,
			toolsUnsupported:
				'Choose a model whose chat template supports tools, and start vLLM with --enable-auto-tool-choice and a --tool-call-parser.',
		},
	},
};
