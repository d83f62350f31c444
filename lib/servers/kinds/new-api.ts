import { anyHeader } from './evidence';
import type { ServerKind } from './kind';
import { chatWithOpenAiFieldsOnly, openAiCompatible } from './openai-compatible';

/**
 * New API (Calcium-Ion/new-api, seen: 0.6.3.1) and One API, from which it came: gateways whose answers have the same
 * header. They drop fields that they do not know, and have no native routes of the servers behind them. `/health` is a
 * web page.
 */
export const newApi: ServerKind = {
	...openAiCompatible,
	label: 'New API or One API',
	signs: { passesOnOthers: true },
	recognizes: (answers) => anyHeader(answers, 'x-oneapi-request-id', /^\w+$/),
	chat: chatWithOpenAiFieldsOnly,
	media: { needsModel: true },
	words: {
		...openAiCompatible.words,
		noModels: 'Add a channel with models in the gateway, and allow the group of the key to use it.',
		missingModel: () =>
			'add it to a channel in the gateway; the group of the key must be allowed to use it.',
	},
};
