/** n8n's tracer without its tokenizer. */
import type { TracerClass } from './host-classes';
import { memoize } from '../lru-cache';
import type { JsonRecord } from '../values/records';
import { estimateContentTokens } from './content-tokens';

/**
 * n8n's tracer, which writes the execution log, without its tokenizer. For every call the tracer estimates the tokens
 * of the prompt and of the response with js-tiktoken: about half a second and 110 to 150 MB at the first call, CPU at
 * each. The server's own counts replace the estimates in the log, so a rough estimate is enough until the response
 * arrives. It is a subclass, since n8n's Model Selector asks for `instanceof N8nLlmTracing` (ModelSelector.node.ts). If
 * n8n's tracer no longer has these methods (ai-utilities, n8n-llm-tracing.ts), it is used unchanged.
 */
export const getTracerWithoutTokenizer: (hostClass: TracerClass) => TracerClass = memoize(
	(N8nLlmTracing: TracerClass) => {
		const methods = ['estimateTokensFromGeneration', 'estimateTokensFromStringList'] as const;
		const canBeReplaced = methods.every(
			(method) => typeof (N8nLlmTracing.prototype as JsonRecord)[method] === 'function',
		);
		if (!canBeReplaced) return N8nLlmTracing;
		return class extends N8nLlmTracing {
			/** @param texts one text per prompt */
			async estimateTokensFromStringList(texts: unknown) {
				return estimateContentTokens([texts].flat());
			}

			async estimateTokensFromGeneration(generations: Array<Array<{ text?: unknown }>>) {
				return estimateContentTokens(generations.flat().map(({ text }) => text));
			}
		};
	},
);
