import { entriesOf } from './evidence';
import type { ServerKind } from './kind';
import { chatWithOpenAiFieldsOnly, openAiCompatible } from './openai-compatible';

/**
 * SGLang's model gateway (sgl-project/sglang, sgl-model-gateway, seen: 0.3.2). It lists one model `unknown` where the
 * servers behind it are no SGLang, passes on their headers, drops fields that it does not know, and has no native
 * routes.
 */
export const sglangGateway: ServerKind = {
	...openAiCompatible,
	label: "SGLang's gateway",
	signs: { passesOnOthers: true },
	recognizes: (answers) => {
		const models = entriesOf(answers) ?? [];
		return (
			models.length > 0 &&
			models.every(({ id, owned_by: owner }) => id === 'unknown' && owner === 'local')
		);
	},
	chat: chatWithOpenAiFieldsOnly,
	words: {
		...openAiCompatible.words,
		missingModel: () => 'type the name that the server behind the gateway has: its list has none.',
	},
};
