import type { ServerKind } from './kind';
import { LONGER_TEXTS } from './llama-api/words';
import { openAiCompatible } from './openai-compatible';

/**
 * An OpenAI-compatible server of unknown kind: it gets everything that the user set. It may be llama-server behind a
 * proxy, so llama-server's routes are tried.
 */
export const other: ServerKind = {
	...openAiCompatible,
	label: 'An OpenAI-compatible server',
	recognizes: () => true,
	isTriedOnly: true,
	words: {
		...openAiCompatible.words,
		// It may be llama-server behind a proxy, which the general advice is for.
		remedies: undefined,
		cutStream:
			'The server or a proxy closed the stream without saying that it had finished, for example because it crashed. What had arrived is in the details. A server of your own has to end with "data: [DONE]".',
		longerTexts: LONGER_TEXTS,
	},
};
