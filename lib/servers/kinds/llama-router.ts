import { isRecord } from '../../values';
import { anyModel, bodyOf } from './evidence';
import type { ServerKind } from './kind';
import { isLlama, llamaServer } from './llama-server';

/**
 * llama-server started without a model: a router with a child process for each model (docs/protocols/llama-server.md
 * 2.10).
 */
export const llamaRouter: ServerKind = {
	...llamaServer,
	mayResumeAnswers: false,
	label: 'llama-server (router)',
	matches: (answers) =>
		isLlama(answers) &&
		(bodyOf(answers.props).role === 'router' ||
			anyModel(answers, ({ status }) => isRecord(status))),
	listsLoadedModelsOnly: false,
	ignoresModelName: false,
	llamaApi: 'router',
	mediaNeedsModel: true,
	advice: {
		...llamaServer.advice,
		noModels:
			'For a router, put GGUF files into its --models-dir, or name them with --models-preset.',
		missingModel: () => 'put its GGUF file into the folder of --models-dir and restart the router.',
	},
};
