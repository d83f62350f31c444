import { isFilled, recordOf } from '../../values';
import { says } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * Bifrost (maximhq/bifrost, seen: transports 1.4.19). It drops fields that OpenAI's API lacks, unless a header asks it to
 * pass them on. It answers its web page to every GET that it does not know.
 */
export const bifrost: ServerKind = {
	...openAiCompatible,
	label: 'Bifrost',
	signs: { passesOnOthers: true },
	recognizes: ({ models }) =>
		says(
			models,
			({ is_bifrost_error: isError, extra_fields: of, object }) =>
				isError !== undefined || isFilled(recordOf(of).request_type) || object === '',
		),
	headers: { 'x-bf-passthrough-extra-params': 'true' },
	rerank: { takesObjects: true },
	media: { needsModel: true },
	words: {
		...openAiCompatible.words,
		noModels: 'Start a server behind Bifrost, and allow the virtual key to use its models.',
		missingModel: () => 'add it to a provider of Bifrost, and allow the virtual key to use it.',
		rerankOff:
			'Give the reranker model a provider that reranks: for llama-server the provider vllm, whose key has its address in vllm_key_config.',
	},
};
