import type { ServerKind } from './kind';
import { chatWithOpenAiFieldsOnly, openAiCompatible } from './openai-compatible';
import { anyHeaderNamed } from './evidence';

/**
 * Portkey's gateway (Portkey-AI/gateway, seen: 1.15.2). It passes on list and headers of the server behind it, drops
 * fields that it does not know, and has no native routes.
 */
export const portkey: ServerKind = {
	...openAiCompatible,
	label: 'Portkey',
	signs: { passesOnOthers: true },
	recognizes: (answers) => anyHeaderNamed(answers, /^x-portkey-/),
	chat: chatWithOpenAiFieldsOnly,
	words: {
		...openAiCompatible.words,
		missingModel: () => 'start the server behind Portkey with it.',
	},
};
