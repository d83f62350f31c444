import type { ServerKind } from './kind';
import { installModel } from './install-model';
import { LONGER_TEXTS } from './llama-api/words';
import { openAiCompatible } from './openai-compatible';

/**
 * An OpenAI-compatible server of unknown kind: it gets everything that the user set. It may be llama-server behind a
 * proxy, so llama-server's routes are tried, and speaches without models, which cannot be identified.
 */
export const other: ServerKind = {
	...openAiCompatible,
	label: 'An OpenAI-compatible server',
	recognizes: () => true,
	isTriedOnly: true,
	models: { pull: installModel },
	words: {
		...openAiCompatible.words,
		// It may be llama-server behind a proxy, which the general advice is for.
		remedies: undefined,
		cutStream:
			'The server or a proxy closed the stream without saying that it had finished, for example because it crashed. What had arrived is in the details. A server of your own has to end with "data: [DONE]".',
		longerTexts: LONGER_TEXTS,
	},
};
