import { anyHeader, entriesOf, says } from './evidence';
import type { ServerTraits } from './kind';
import { other } from './other';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Hugging Face's `transformers serve` (transformers, cli/serving). It lists what is in its cache, with the time of the
 * last change as a fraction; nothing where it serves a model out of a folder. Every answer has an `x-request-id`
 * (seen: 5.19.0).
 */
export const transformersServe: ServerTraits = {
	...other,
	label: 'transformers serve',
	isIt: (answers) => {
		const isOfCache = entriesOf(answers)?.every(
			({ created }) => typeof created === 'number' && !Number.isInteger(created),
		);
		return (
			(isOfCache === true && anyHeader(answers, 'x-request-id', UUID)) ||
			says(answers.health, ({ reason }) => reason === 'cb_worker_dead')
		);
	},
	// It refuses what is not in OpenAI's API, and ignores much of what is, `response_format` among it.
	extraFields: ['chatTemplateArguments'],
	grammar: undefined,
	thinkingBudget: false,
	toolChoice: 'ignored',
	mayListNothing: true,
	ignoresSuffix: true,
	wantsNoKey: true,
	toolParserAdvice: () => 'transformers serve reads the tool calls of a few families of models (Qwen) only.',
	advice: {
		...other.advice,
		noModels: 'transformers serve lists only what is in its cache: type the name that it was started with.',
		missingModel: () => 'start transformers serve with it.',
		moreContext: (tokens) => `Choose a model that reads ${tokens} tokens.`,
	},
};
