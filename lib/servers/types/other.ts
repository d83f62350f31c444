import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import type { ServerType } from './server-type';

/** Any server with OpenAI's API: it gets all options that the user set, and rejected fields are omitted. */
export const other: ServerType = {
	name: 'other',
	label: 'An OpenAI-compatible server',
	supportedFields: 'all',
	// Those of llama-server and of vLLM, which may be behind it.
	thinking: {
		switch: 'template',
		budgetFields: ['reasoning_budget_tokens', 'thinking_token_budget'],
	},
	// vLLM renamed the field, and reads either the old or the new one (vllm-project/vllm issue 38488). It may be used by
	// any gateway.
	reasoningFields: ['reasoning_content', 'reasoning'],
	toGrammarFields: (grammar) => ({ grammar }),
	// Most servers silently treat an object as "auto" (docs/protocols/llama-server.md 6.1).
	toolChoiceSupport: 'mode',
	videoPartType: 'video_url',
	// It may be a llama-server behind a gateway.
	texts: SERVER_TEXTS.other,
};
