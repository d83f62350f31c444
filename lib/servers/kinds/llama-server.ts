import { isRecord } from '../../values';
import { anyHeader, bodyOf, ownsModels, says, textIn } from './evidence';
import type { ServerAnswers } from './answers';
import type { ServerKind } from './kind';
import { withProps } from './llama-api/router-models';
import { countSlots } from './llama-api/slots';
import { templateOnServer } from './llama-api/templates';
import { LONGER_TEXTS } from './llama-api/words';
import { openAiCompatible } from './openai-compatible';

const PYTHON = /python|uvicorn|gunicorn/i;

/**
 * Whether the answers are from llama.cpp's server, with one model or as a router (docs/protocols/llama-server.md 8.1).
 */
export function isLlama(answers: ServerAnswers): boolean {
	return (
		// In every answer, also in errors; a proxy may rewrite it.
		anyHeader(answers, 'server', /llama\.cpp/i) ||
		// A gateway in Python, such as optillm, may hand on the list of the server behind it, but not every field and route.
		(ownsModels(answers, 'llamacpp') && !anyHeader(answers, 'server', PYTHON)) ||
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
	...openAiCompatible,
	label: 'llama-server',
	recognizes: isLlama,
	version: (answers) => textIn(answers, 'props', 'build_info'),
	hasEveryRoute: true,
	chat: {
		...openAiCompatible.chat,
		// All samplers come from it (tools/server/server-schema.cpp).
		fields: { extra: 'all', takesUnlimited: true },
		grammar: { fields: (grammar) => ({ grammar }), isEnforced: true },
		schema: { isEnforced: true, becomesGrammar: true },
		thinking: {
			switch: 'template',
			hasBudget: true,
			isSplitFromText: true,
			fields: ['reasoning_content'],
		},
		videoField: 'input_video',
		template: templateOnServer,
	},
	completion: { prompt: '/completion' },
	models: {
		areAllLoaded: true,
		// docs/protocols/llama-server.md 4.3
		ignoresName: true,
		withDetails: withProps,
	},
	slots: { count: countSlots },
	embeddings: { base64: true, refusesLongTexts: true },
	health: {
		reports: 'server',
		// In older releases the list needs no key (docs/protocols/llama-server.md 1.2).
		guardedRoute: { path: '/props' },
		benchmarkFields: { cache_prompt: false, ignore_eos: true },
	},
	words: {
		noModels: 'Start llama-server with a model: llama-server -m FILE.gguf.',
		embeddingsOff:
			'Start llama-server with --embeddings and an embedding model, best as a second server on its own port.',
		rerankOff:
			'Start llama-server with --rerank and a reranker model (for example bge-reranker-v2-m3), best as a second server on its own port.',
		transcriptionOff:
			'Start llama-server with a model that takes audio and its projector: --mmproj FILE (for example Voxtral or Qwen2.5-Omni).',
		moreContext: (tokens, slots = 1) => {
			if (slots <= 1) return `Start llama-server with --ctx-size ${tokens}.`;
			return `Start llama-server with --ctx-size ${tokens} --kv-unified. Without --kv-unified, each of ${slots} slots can get 1/${slots} of the context: then --ctx-size ${tokens * slots}.`;
		},
		longerTexts: LONGER_TEXTS,
		parseTools: () =>
			'Start llama-server with --jinja and without --no-jinja. If the template inside the GGUF file knows no tools, pass one that does with --chat-template-file.',
		toolsDropped:
			"This model's template has no tool support, so llama-server ignored the tools. Use a model with tool support, or start llama-server with a template that has it (--jinja --chat-template-file).",
		loadsNone:
			'A llama-server is a router when it is started without a model: llama-server --models-dir FOLDER.',
	},
};
