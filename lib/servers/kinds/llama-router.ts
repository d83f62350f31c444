import { isRecord } from '../../values';
import { anyModel, bodyOf } from './evidence';
import type { ServerKind } from './kind';
import { adaptersOf } from './llama-api/adapters';
import { ineffectiveOnRouter, templateOnRouter } from './llama-api/chat-options';
import {
	describeOnRouter,
	loadOnRouter,
	MISSING_ON_ROUTER,
	pullOnRouter,
	removeOnRouter,
	unloadOnRouter,
} from './llama-api/router-models';
import { MODEL_IN_REQUEST } from './llama-api/routes';
import { slotsOf } from './llama-api/slots';
import { tokensOf } from './llama-api/tokens';
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
		mayResumeAnswers: undefined,
		template: templateOnRouter,
		ineffectiveOptions: ineffectiveOnRouter,
	},
	models: {
		listStatesPurpose: true,
		describe: describeOnRouter,
		load: loadOnRouter,
		unload: unloadOnRouter,
		pull: pullOnRouter,
		remove: removeOnRouter,
	},
	tokens: tokensOf(MODEL_IN_REQUEST),
	slots: slotsOf(MODEL_IN_REQUEST),
	adapters: adaptersOf(MODEL_IN_REQUEST),
	media: { needsModel: true },
	health: { ...llamaServer.health, reports: 'process' },
	words: {
		...llamaServer.words,
		noModels:
			'For a router, put GGUF files into its --models-dir, or name them with --models-preset.',
		missingModel: MISSING_ON_ROUTER,
	},
};
