import { anyHeader, entriesOf, says } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Hugging Face's `transformers serve` (transformers, cli/serving). It lists the models in its cache, with fractional
 * seconds as date, and nothing if it serves a model from a folder. Every answer has an `x-request-id` (seen: 5.19.0).
 */
export const transformersServe: ServerKind = {
	...openAiCompatible,
	label: 'transformers serve',
	recognizes: (answers) => {
		const isOfCache = entriesOf(answers)?.every(
			({ created }) => typeof created === 'number' && !Number.isInteger(created),
		);
		return (
			(isOfCache === true && anyHeader(answers, 'x-request-id', UUID)) ||
			says(answers.health, ({ reason }) => reason === 'cb_worker_dead')
		);
	},
	// It refuses fields outside OpenAI's API, and ignores many of OpenAI's, for example `response_format`.
	chat: {
		...openAiCompatible.chat,
		fields: { extra: ['chatTemplateArguments'] },
		grammar: undefined,
		thinking: { ...openAiCompatible.chat.thinking, hasBudget: undefined },
		toolChoice: 'ignored',
	},
	key: { isNeverNeeded: true },
	models: { mayListNone: true },
	words: {
		...openAiCompatible.words,
		noModels:
			'transformers serve lists only what is in its cache: type the name that it was started with.',
		missingModel: () => 'start transformers serve with it.',
		parseTools: () =>
			'transformers serve reads the tool calls of a few families of models (Qwen) only.',
		moreContext: (tokens) => `Choose a model that reads ${tokens} tokens.`,
	},
};
