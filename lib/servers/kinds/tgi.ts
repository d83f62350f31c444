import { anyModel, bodyOf, textIn } from './evidence';
import type { ServerTraits } from './kind';
import { other } from './other';

/**
 * Hugging Face's text-generation-inference (router/src/server.rs). Its list of models is fixed when it starts, its
 * owner is the model itself, its date 0; `/health` says 503 when the model does not answer.
 */
export const tgi: ServerTraits = {
	...other,
	label: 'Text Generation Inference',
	isIt: (answers) =>
		anyModel(answers, ({ id, owned_by: owner, created }) => owner === id && created === 0) ||
		('max_total_tokens' in bodyOf(answers.info) && 'model_id' in bodyOf(answers.info)),
	version: (answers) => textIn(answers, 'info', 'version'),
	listsLoadedModelsOnly: true,
	// Its list and its `/info` are open to everybody, `/tokenize` looks at the key before it looks at the question.
	guardedRoute: { path: '/tokenize', json: {} },
};
