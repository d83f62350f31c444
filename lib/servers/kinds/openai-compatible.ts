import type { KnownRefusal } from './chat-abilities';
import type { ServerKind } from './kind';
import { PLAIN_REMEDIES } from './remedies';

/** Refusals of servers that may be behind any gateway. */
const REFUSALS: readonly KnownRefusal[] = [
	// Old llama-server, with tools; Kong, agentgateway, for all
	{
		says: /cannot use tools with stream|\bstreaming is not (?:currently )?(?:enabled|supported)\b/i,
		then: 'withoutStream',
	},
	// any-llm's gateway, which streams no response format, and says no more of any refusal
	{ says: /^the request could not be completed by the provider/i, then: 'formatWithoutStream' },
	// Mistral's templates (docs/protocols/llama-server.md, case 81)
	{ says: /tool call ids? should be alphanumeric strings? with length 9/i, then: 'shortToolIds' },
	// LM Studio (lmstudio-bug-tracker issue 189)
	{ says: /response_format\.type\W{1,3}must be \W?json_schema\b/i, then: 'jsonObjectAsSchema' },
	// Triton's frontend, and others before there were schemas
	{
		says: /response_format\b.{0,40}(?:'text' or 'json_object'|"text" or "json_object")/i,
		then: 'schemaAsJsonObject',
		note: 'This server takes no JSON Schema, so it was asked for any JSON object. The answer is checked all the same.',
	},
	// LitServe and Mistral know "any" for "required".
	{ says: /\btool_choice\b.{0,80}'any'/i, then: 'anyAsToolChoice' },
	// LitServe, OpenAI's older models
	{
		says: /\breasoning_effort\b.{0,120}'low'/i,
		then: 'lowThinkingEffort',
		note: 'This server does not know that thinking effort, so it was asked for "low".',
	},
	// FastAPI servers that forbid unknown fields (pydantic: extra="forbid"), gateways, Python functions.
	{ then: 'withoutRefusedFields' },
	// The same, but without field names that can be parsed; and vLLM if Extra Body turns streaming off.
	{ says: /stream[_ ]options/i, then: 'withoutUsageInStream' },
];

/** What every server with OpenAI's API is taken to do, unless its kind says otherwise. */
export const openAiCompatible: Omit<ServerKind, 'label' | 'recognizes'> = {
	chat: {
		fields: { extra: 'all' },
		grammar: { fields: (grammar) => ({ grammar }) },
		thinking: {
			switch: 'template',
			hasBudget: true,
			// vLLM renamed the field, and reads either the old or the new one (vllm-project/vllm issue 38488). It may be
			// behind any gateway.
			fields: ['reasoning_content', 'reasoning'],
		},
		// Most servers silently treat an object as "auto" (docs/protocols/llama-server.md 6.1).
		toolChoice: 'mode',
		videoField: 'video_url',
		refusals: REFUSALS,
	},
	completion: { prompt: '/completions' },
	models: {},
	embeddings: {},
	rerank: {},
	media: {},
	health: {},
	words: {
		remedies: PLAIN_REMEDIES,
		noModels: 'Start it with a model. If it has one, allow the key to use it.',
		embeddingsOff:
			'Start a server for an embedding model, for example llama-server with --embeddings.',
		rerankOff: 'Start a server for a reranker model, for example llama-server with --rerank.',
		moreContext: (tokens) => `Start the server with a context of at least ${tokens} tokens.`,
		toolsDropped:
			'The chat template of this model takes no tools, so the model was told of none. Use a model with tool support.',
		parseTools: () =>
			'Switch on tool calling in the server, with a chat template and a parser that fit the model.',
	},
};
