import { findTemplateTokens } from '../../text/turn-tokens';
import type { JsonRecord } from '../../values/records';
import { asString } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { tryProbeObject } from '../probe';
import { parseProps } from '../parse-models';
import type { ServerProps, ServerType } from './server-type';
import { DEFAULT_TEXTS } from './other';
import { findThinkingKeys } from '../template-arguments';
import { needsModel, needsOtherServer, OTHER_SERVERS } from '../task-advice';
import { routerActions } from './router-actions';

/** llama.cpp's llama-server, alone or as a router. Sources: docs/protocols/llama-server.md 2.6, 6, 8.1. */
export const llamaServer: ServerType = {
	name: 'llamaServer',
	label: 'llama-server',
	benchmarkFields: { cache_prompt: false, ignore_eos: true },
	supportedFields: 'all',
	supportsUnlimitedTokens: true,
	thinking: { switch: 'template', budgetFields: ['reasoning_budget_tokens'] },
	reasoningFields: ['reasoning_content'],
	toGrammarFields: (grammar) => ({ grammar }),
	compilesSchemas: 'formatsAndTools',
	// docs/protocols/llama-server.md 6.1
	toolChoiceSupport: 'mode',
	videoPartType: 'input_video',
	ignoresModelName: true,
	hasEveryRoute: true,
	// A router would load the model for this request.
	fetchProps: async (server, model, options) => {
		const query = model === '' ? '' : `?model=${encodeURIComponent(model)}&autoload=false`;
		const all = await tryProbeObject(server, `/props${query}`, options);
		return all === undefined ? undefined : toServerProps(all);
	},
	enrichModels: async (server, models, options) => {
		const [only] = models;
		if (only === undefined || models.length > 1 || only.args !== undefined) return models;
		const all = await tryProbeObject(server, '/props', options);
		if (all === undefined) return models;
		const props = parseProps(all);
		// Inputs of the list take precedence; its context is that of all slots together.
		return [{ state: 'loaded', ...props, ...only, context: props.context ?? only.context }];
	},
	modelActions: routerActions,
	supportsBase64: true,
	texts: {
		...DEFAULT_TEXTS,
		suggestions: undefined,
		noModels:
			'Start llama-server with a model: llama-server -m FILE.gguf. For a router, put GGUF files into the folder of --models-dir.',
		// With --kv-unified, one request can use all of it; otherwise it is divided by the slots.
		context: (tokens, slots = 1) =>
			`Start llama-server with --ctx-size ${tokens}${slots > 1 ? ' --kv-unified' : ''}.`,
		tools:
			'Use a model with tool support, or start llama-server with --jinja and a template that supports tools (--chat-template-file).',
		longerTexts:
			'Or start the server with a larger -ub and -b, for example -ub 8192 -b 8192, if the model supports that length.',
		tasks: {
			decisions: needsModel(
				'Start llama-server with a decision model (a GGUF file whose metadata say that it decides), and update llama.cpp if it is older than that. Classify also works with chat models.',
			),
			completion: needsModel(
				'Use Chat instead of Complete, or start llama-server with a model that generates text.',
			),
			embeddings: needsModel(
				'Start llama-server with --embeddings and an embedding model, preferably as a second server on its own port.',
			),
			rerank: needsModel(
				'Start llama-server with --rerank and a reranker model (for example bge-reranker-v2-m3), preferably as a second server on its own port.',
			),
			images: needsOtherServer(OTHER_SERVERS.images),
			imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
			transcription: needsModel(
				`${OTHER_SERVERS.transcription} Or start llama-server with the --mmproj of a model that supports audio.`,
			),
			translation: needsOtherServer(OTHER_SERVERS.translation),
			speech: needsOtherServer(OTHER_SERVERS.speech),
		},
		noModelActions:
			'llama-server works as a router when it is started without a model: llama-server --models-dir FOLDER.',
	},
};

function toServerProps(all: JsonRecord): ServerProps {
	const slots = Math.floor(asFiniteNumber(all.total_slots) ?? 0);
	return {
		...parseProps(all),
		slots: slots > 0 ? slots : undefined,
		thinkingKeys: findThinkingKeys(all.chat_template),
		templateTokens: findTemplateTokens(asString(all.chat_template) ?? ''),
	};
}
