import { isRecord } from '../../values';
import { anyModel, bodyOf } from './evidence';
import type { ServerKind } from './kind';
import { templateOnRouter } from './llama-api/templates';
import {
	loadOnRouter,
	MISSING_ON_ROUTER,
	pullOnRouter,
	removeOnRouter,
	unloadOnRouter,
} from './llama-api/router-models';
import { isLlama, llamaServer } from './llama-server';

/**
 * llama-server started without a model: a router with a child process for each model (docs/protocols/llama-server.md
 * 2.10).
 */
export const llamaRouter: ServerKind = {
	...llamaServer,
	label: 'llama-server (router)',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		isLlama(answers) &&
		(bodyOf(answers.props).role === 'router' ||
			anyModel(answers, ({ status }) => isRecord(status))),
	chat: {
		...llamaServer.chat,
		template: templateOnRouter,
	},
	models: {
		listStatesPurpose: true,
		load: loadOnRouter,
		unload: unloadOnRouter,
		pull: pullOnRouter,
		remove: removeOnRouter,
	},
	slots: undefined,
	media: { needsModel: true },
	health: { ...llamaServer.health, reports: 'process' },
	words: {
		...llamaServer.words,
		noModels:
			'For a router, put GGUF files into its --models-dir, or name them with --models-preset.',
		missingModel: MISSING_ON_ROUTER,
	},
};
