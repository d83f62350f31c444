import { isRecord } from '../../values';
import { anyHeader, bodyOf, ownsModels, says, textIn } from './evidence';
import type { ServerAnswers, ServerKind } from './kind';
import { other } from './other';

/**
 * Whether the answers are from llama.cpp's server, with one model or as a router (docs/protocols/llama-server.md 8.1).
 */
export function isLlama(answers: ServerAnswers): boolean {
	return (
		// In every answer, also in errors; a proxy may rewrite it.
		anyHeader(answers, 'server', /llama\.cpp/i) ||
		ownsModels(answers, 'llamacpp') ||
		'build_info' in bodyOf(answers.props) ||
		says(
			answers.models,
			({ error }) =>
				isRecord(error) &&
				error.message === 'Invalid API Key' &&
				error.type === 'authentication_error',
		)
	);
}

/** llama.cpp's llama-server with one model. Sources: docs/protocols/llama-server.md 2.6, 6, 8.1. */
export const llamaServer: ServerKind = {
	...other,
	label: 'llama-server',
	matches: isLlama,
	version: (answers) => textIn(answers, 'props', 'build_info'),
	// All samplers come from it (tools/server/server-schema.cpp).
	extraFields: 'all',
	ownFields: ['cacheReuse', 'lora'],
	takesUnlimited: true,
	reasoningFields: ['reasoning_content'],
	schemasBecomeGrammar: true,
	splitsThinking: true,
	mayResumeAnswers: true,
	endsThinking: true,
	listsLoadedModelsOnly: true,
	llamaApi: 'oneModel',
	keepsToGrammar: true,
	sendsBase64: true,
	// In older releases the list needs no key (docs/protocols/llama-server.md 1.2).
	guardedRoute: { path: '/props' },
	// docs/protocols/llama-server.md 4.3
	ignoresModelName: true,
	toolParserAdvice: () =>
		'Start llama-server with --jinja and without --no-jinja. If the template inside the GGUF file knows no tools, pass one that does with --chat-template-file.',
	benchmarkFields: { cache_prompt: false, ignore_eos: true },
	advice: {
		noModels: 'Start llama-server with a model: llama-server -m FILE.gguf.',
		embeddingsOff:
			'Start llama-server with --embeddings and an embedding model, best as a second server on its own port.',
		rerankOff:
			'Start llama-server with --rerank and a reranker model (for example bge-reranker-v2-m3), best as a second server on its own port.',
		transcriptionOff:
			'Start llama-server with a model that takes audio and its projector: --mmproj FILE (for example Voxtral or Qwen2.5-Omni).',
		moreContext: (tokens, slots = 1) => {
			const shared = `If it was started with -np ${slots}, every slot gets 1/${slots} of that: then --ctx-size ${tokens * slots}, or --kv-unified.`;
			return `Start llama-server with --ctx-size ${tokens}.${slots > 1 ? ` ${shared}` : ''}`;
		},
	},
};
