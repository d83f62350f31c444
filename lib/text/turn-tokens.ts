/**
 * The tokens that begin or end a turn, or name its role, in the chat templates of the models that people run on llama-server,
 * Ollama, vLLM, GPUStack, LM Studio and behind LiteLLM. A server tokenizes the whole prompt, so that `<|im_start|>system` in
 * a document would be a message of its own.
 *
 * The list is complete for its purpose: what does not leave the turn that it is in, is text. An element of HTML or XML and a
 * word in brackets are never in it, because authors of prompts, programs and schemas write them: `<s>`, `<tools>`, `[MASK]`.
 */
import { isRecord } from '../values/records';
import { ZERO_WIDTH_SPACE } from '../values/safe-text';
import { toAlternatives } from './mark-patterns';

/** Tokens by their template. A token that several templates have is in the row of the first one. */
const TOKENS_BY_TEMPLATE: ReadonlyArray<{ template: string; tokens: readonly string[] }> = [
	{
		template: 'ChatML: Qwen, Hermes, SmolLM, Phi 4 and others',
		tokens: ['<|im_start|>', '<|im_sep|>', '<|im_end|>', '<|endoftext|>'],
	},
	{
		template: 'Llama 2, Mistral 7B',
		tokens: ['[INST]', '[/INST]', '<<SYS>>', '<</SYS>>'],
	},
	{
		template: 'Mistral Small 3.2: results of tools are a role',
		tokens: ['[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_RESULTS]', '[/TOOL_RESULTS]'],
	},
	{
		template: 'Llama 3',
		tokens: [
			'<|begin_of_text|>',
			'<|start_header_id|>',
			'<|end_header_id|>',
			'<|eot_id|>',
			'<|eom_id|>',
			'<|end_of_text|>',
		],
	},
	{
		template: 'Llama 4',
		tokens: ['<|header_start|>', '<|header_end|>', '<|eot|>', '<|eom|>'],
	},
	{
		template: 'Gemma 2 and 3',
		tokens: ['<start_of_turn>', '<end_of_turn>'],
	},
	{
		template: 'Gemma 4',
		tokens: ['<|turn>', '<turn|>'],
	},
	{
		template: 'gpt-oss: Harmony',
		tokens: ['<|start|>', '<|channel|>', '<|message|>', '<|end|>', '<|return|>', '<|call|>'],
	},
	{
		template: 'DeepSeek V3, R1 and newer',
		tokens: [
			'<｜begin▁of▁sentence｜>',
			'<｜end▁of▁sentence｜>',
			'<｜User｜>',
			'<｜Assistant｜>',
			'<｜tool▁outputs▁begin｜>',
			'<｜tool▁outputs▁end｜>',
		],
	},
	{
		template: 'GLM 4, Phi 3',
		tokens: ['<|system|>', '<|user|>', '<|assistant|>', '<|observation|>'],
	},
	{
		template: 'Kimi K2',
		tokens: ['<|im_system|>', '<|im_user|>', '<|im_assistant|>', '<|im_middle|>'],
	},
	{
		template: 'Command R and A',
		tokens: [
			'<|START_OF_TURN_TOKEN|>',
			'<|END_OF_TURN_TOKEN|>',
			'<|SYSTEM_TOKEN|>',
			'<|USER_TOKEN|>',
			'<|CHATBOT_TOKEN|>',
		],
	},
	{
		template: 'Granite 3 and 4',
		tokens: ['<|start_of_role|>', '<|end_of_role|>'],
	},
	{
		template: 'MiniMax M2',
		tokens: [']~!b[', ']~b]', '[e~['],
	},
];

export const TURN_TOKENS: readonly string[] = TOKENS_BY_TEMPLATE.flatMap(({ tokens }) => tokens);

/** The first character of a token. The rest is only looked at, so that a token that begins within another one is found. */
const TOKEN_START = new RegExp(
	[...new Set(TURN_TOKENS.map((token) => token.charAt(0)))]
		.map((first) => {
			const rests = TURN_TOKENS.filter((token) => token.startsWith(first)).map((token) =>
				token.slice(1),
			);
			return `${toAlternatives([first])}(?=${toAlternatives(rests)})`;
		})
		.join('|'),
	'g',
);

/**
 * A text whose turn tokens are text for a tokenizer: each has an invisible character after its first one. Read once from the
 * beginning to the end. A broken text stays as it is.
 */
export function breakTurnTokens(text: string): string {
	return text.replace(TOKEN_START, (first) => first + ZERO_WIDTH_SPACE);
}

/** The same for all names and texts in a value. */
export function breakTurnTokensDeep(value: unknown): unknown {
	if (typeof value === 'string') return breakTurnTokens(value);
	if (Array.isArray(value)) return value.map(breakTurnTokensDeep);
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, field]) => [
			breakTurnTokens(name),
			breakTurnTokensDeep(field),
		]),
	);
}
