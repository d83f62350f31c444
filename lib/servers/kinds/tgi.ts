import { anyModel, bodyOf, textIn } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * Hugging Face's text-generation-inference (router/src/server.rs). Its list of models is fixed at start; each owner is
 * the model itself, each date 0. `/health` returns 503 when the model does not answer.
 */
export const tgi: ServerKind = {
	...openAiCompatible,
	label: 'Text Generation Inference',
	recognizes: (answers) =>
		anyModel(answers, ({ id, owned_by: owner, created }) => owner === id && created === 0) ||
		('max_total_tokens' in bodyOf(answers.info) && 'model_id' in bodyOf(answers.info)),
	version: (answers) => textIn(answers, 'info', 'version'),
	models: { areAllLoaded: true },
	// Its list and `/info` need no key; `/tokenize` checks the key before the request.
	health: { guardedRoute: { path: '/tokenize', json: {} } },
};
