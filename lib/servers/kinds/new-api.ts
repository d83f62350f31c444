import { anyHeader } from './evidence';
import type { ServerKind } from './kind';
import { chatWithOpenAiFieldsOnly, openAiCompatible } from './openai-compatible';

/**
 * New API (Calcium-Ion/new-api, seen: 0.6.3.1), a gateway. It drops fields that it does not know, and has no native
 * routes of the servers behind it. Its `/health` is a web page.
 */
export const newApi: ServerKind = {
	...openAiCompatible,
	label: 'New API',
	signs: { passesOnOthers: true },
	recognizes: (answers) => anyHeader(answers, 'x-oneapi-request-id', /^\w+$/),
	chat: chatWithOpenAiFieldsOnly,
	media: { needsModel: true },
	words: {
		...openAiCompatible.words,
		noModels: 'Add a channel with models in New API, and allow the group of the key to use it.',
		missingModel: () =>
			'add it to a channel in New API; the group of the key must be allowed to use it.',
	},
};
