import { REFUSES_FIELDS } from '../refused-fields';
import type { Refusal, ServerTraits } from './kind';

/** Refusals of servers that may stand behind any gateway. */
const REFUSALS: readonly Refusal[] = [
	{ says: /cannot use tools with stream/i, then: 'withoutStream' },
	// Mistral's templates (docs/protocols/llama-server.md, case 81)
	{ says: /tool call ids? should be alphanumeric strings? with length 9/i, then: 'shortToolIds' },
	// FastAPI servers that forbid fields they do not know (pydantic: extra="forbid"), gateways, functions of Python.
	{ says: REFUSES_FIELDS, then: 'withoutRefusedFields' },
	// The same without the name in the form of a list, and vLLM where Extra Body turns streaming off.
	{ says: /stream[_ ]options/i, then: 'withoutUsageInStream' },
];

/** An OpenAI-compatible server of unknown kind: it gets whatever the user set. */
export const other: ServerTraits = {
	label: 'An OpenAI-compatible server',
	isIt: () => true,
	extraFields: 'all',
	grammar: (grammar) => ({ grammar }),
	thinkingSwitch: 'template',
	thinkingBudget: true,
	// Most servers treat an object as "auto" without a word (docs/protocols/llama-server.md 6.1).
	toolChoice: 'mode',
	// vLLM changed the name and reads either the old or the new one (vllm-project/vllm issue 38488), and may be behind
	// any gateway.
	reasoningFields: ['reasoning_content', 'reasoning'],
	refusals: REFUSALS,
	toolParserAdvice: () => 'Switch on tool calling in the server, with a chat template and a parser that fit the model.',
	advice: {
		noModels: 'Start it with a model. If it has one, allow the key to use it.',
		embeddingsOff: 'Start a server for an embedding model, for example llama-server with --embeddings.',
		rerankOff: 'Start a server for a reranker model, for example llama-server with --rerank.',
		moreContext: (tokens) => `Start the server with a context of at least ${tokens} tokens.`,
	},
};
