import { remedyFor } from '../../errors/remedies';
import { anyHeader, bodyOf, ownsAnyModel } from './evidence';
import type { ServerKind } from './kind';
import { isOfGateway, loadBehindGateway, unloadBehindGateway } from './llama-api/gateway-models';
import { llamaServer } from './llama-server';

/**
 * llama-swap, which starts a server, mostly llama-server, for the requested model (mostlygeek/llama-swap;
 * docs/protocols/other-servers.md 6.3). It passes on the headers of the server behind it, so it is tested before
 * llama-server. `/api/version` is its own, with commit and build date: it is no Ollama.
 */
export const llamaSwap: ServerKind = {
	...llamaServer,
	label: 'llama-swap',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		ownsAnyModel(answers, 'llama-swap') ||
		Object.values(answers).some(({ json }) => isOfGateway(json)) ||
		anyHeader(answers, 'www-authenticate', /realm="llama-swap"/i) ||
		('build_date' in bodyOf(answers.apiVersion) && 'commit' in bodyOf(answers.apiVersion)),
	version: undefined,
	hasEveryRoute: undefined,
	chat: {
		...llamaServer.chat,
		grammar: { fields: (grammar) => ({ grammar }) },
		schema: { becomesGrammar: true },
		// vLLM may be behind it, too.
		thinking: { ...llamaServer.chat.thinking, fields: ['reasoning_content', 'reasoning'] },
		template: undefined,
	},
	completion: { prompt: '/completions' },
	models: {
		load: async (connection, options) => await loadBehindGateway(connection, options, llamaSwap),
		unload: async (connection, options) =>
			await unloadBehindGateway(connection, options, llamaSwap),
	},
	slots: undefined,
	embeddings: {},
	media: {
		knownFor: ['images', 'transcription', 'speech'],
		needsModel: true,
	},
	// `/props` would load a model, and its list already needs the key.
	health: { benchmarkFields: llamaServer.health.benchmarkFields },
	words: {
		...llamaServer.words,
		remedies: {
			modelFailedToLoad: `${remedyFor('modelFailedToLoad').remedy} llama-swap has that of each model at /logs/stream/NAME.`,
		},
		noModels: "Name models in llama-swap's configuration file.",
		missingModel: () => "name it in llama-swap's configuration file.",
		moreContext: (tokens) =>
			`Add --ctx-size ${tokens} to the command of this model in llama-swap's configuration file.`,
	},
};
