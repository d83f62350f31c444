import { estimateTokens } from '../servers/tokens';
import type { HostClasses } from './host';
import type { JsonRecord } from '../values';

type Tracing = HostClasses['N8nLlmTracing'];

const classes = new WeakMap<Tracing, Tracing>();

/**
 * n8n's tracer, which writes the execution log, without its tokenizer. For every call the tracer estimates the tokens
 * of the prompt and of the answer with js-tiktoken: about half a second and 110 to 150 MB at the first call, CPU at
 * each. The server's own counts replace the estimates in the log, so a rough estimate is enough until the answer
 * arrives. It is a subclass, since n8n's Model Selector asks for `instanceof N8nLlmTracing` (ModelSelector.node.ts). If
 * n8n's tracer no longer has these methods (ai-utilities, n8n-llm-tracing.ts), it is used unchanged.
 */
export function tracingWithoutTokenizer(N8nLlmTracing: Tracing): Tracing {
	const made =
		classes.get(N8nLlmTracing) ??
		(canBeReplaced(N8nLlmTracing) ? defineClass(N8nLlmTracing) : N8nLlmTracing);
	classes.set(N8nLlmTracing, made);
	return made;
}

function canBeReplaced({ prototype }: Tracing): boolean {
	return ['estimateTokensFromGeneration', 'estimateTokensFromStringList'].every(
		(method) => typeof (prototype as JsonRecord)[method] === 'function',
	);
}

function defineClass(N8nLlmTracing: Tracing): Tracing {
	return class extends N8nLlmTracing {
		/** `texts`: one text per prompt. */
		async estimateTokensFromStringList(texts: unknown): Promise<number> {
			return estimateOfTexts([texts].flat());
		}

		async estimateTokensFromGeneration(
			generations: Array<Array<{ text?: unknown }>>,
		): Promise<number> {
			return estimateOfTexts(generations.flat().map(({ text }) => text));
		}
	};
}

function estimateOfTexts(texts: unknown[]): number {
	return texts.reduce(
		(sum: number, text) => sum + (typeof text === 'string' ? estimateTokens(text) : 0),
		0,
	);
}
