import { isRecord } from '../../values';
import { pathOfModel } from '../model-names';
import { anyHeader, bodyOf, ownsModels, says } from './evidence';
import type { ServerKind } from './kind';
import { llamaServer } from './llama-server';

/**
 * llama-swap, which starts a server, mostly llama-server, for the requested model (mostlygeek/llama-swap;
 * docs/protocols/other-servers.md 6.3). It passes on the headers of the server behind it, so it is tested before
 * llama-server. `/api/version` is its own, with commit and build date: it is no Ollama.
 */
export const llamaSwap: ServerKind = {
	...llamaServer,
	mayResumeAnswers: false,
	label: 'llama-swap',
	matches: (answers) =>
		ownsModels(answers, 'llama-swap') ||
		Object.values(answers).some((answer) => says(answer, ({ src }) => src === 'llama-swap')) ||
		anyHeader(answers, 'www-authenticate', /realm="llama-swap"/i) ||
		('build_date' in bodyOf(answers.apiVersion) && 'commit' in bodyOf(answers.apiVersion)),
	// vLLM may be behind it, too.
	reasoningFields: ['reasoning_content', 'reasoning'],
	version: undefined,
	// `/props` would load a model, and its list already needs the key.
	guardedRoute: undefined,
	llamaApi: undefined,
	keepsToGrammar: undefined,
	sendsBase64: undefined,
	isOwnAnswer: (json) => isRecord(json) && json.src === 'llama-swap',
	modelRoot: (root, model) => `${root}/upstream/${pathOfModel(model)}`,
	listsLoadedModelsOnly: false,
	ignoresModelName: false,
	mediaNeedsModel: true,
	advice: {
		...llamaServer.advice,
		noModels: "Name models in llama-swap's configuration file.",
		missingModel: () => "name it in llama-swap's configuration file.",
		moreContext: (tokens) =>
			`Add --ctx-size ${tokens} to the command of this model in llama-swap's configuration file.`,
	},
};
