import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import type { ServerType } from './server-type';
import { other } from './other';

/** vLLM (docs/protocols/vllm.md; vLLM's sampling parameters). */
export const vllm: ServerType = {
	...other,
	name: 'vllm',
	label: 'vLLM',
	benchmarkFields: { ignore_eos: true },
	supportedFields: ['topK', 'minP', 'repeatPenalty', 'parallelToolCalls'],
	fieldNames: { repeatPenalty: 'repetition_penalty' },
	// vllm/entrypoints/openai/chat_completion/protocol.py: all efforts, and `thinking_token_budget`.
	thinking: { switch: 'template', budgetFields: ['thinking_token_budget'] },
	toGrammarFields: (grammar) => ({ structured_outputs: { grammar } }),
	toolChoiceSupport: 'named',
	supportsBase64: true,
	texts: SERVER_TEXTS.vllm,
};
