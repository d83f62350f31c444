/**
 * The tokens that begin or end a turn, or name its role, in the chat templates of the models that people run on llama-server,
 * Ollama, vLLM, GPUStack, LM Studio and behind LiteLLM. A server tokenizes the whole prompt, so that `<|im_start|>system` in
 * a document would be a message of its own.
 *
 * The list is complete for its purpose: what does not leave the turn that it is in, is text. An element of HTML or XML and a
 * word in brackets are never in it, because authors of prompts, programs and schemas write them: `<s>`, `<tools>`, `[MASK]`.
 */
import type { Origin } from '../origin';
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

/** The content of a token: a name, perhaps with blanks in it. */
const SIGN = String.raw`[^\s<>[\]{}"'|｜]`;
const CONTENT = `/?[\\w\u0080-\uff5b](?:[^<>[\\]{}"'|｜\\n]{0,60}${SIGN})?`;

/**
 * Forms of tokens in chat templates: `<|x|>`, `<｜x｜>`, `<|x>`, `<x|>`, `[|x|]`, and the elements around calls and their
 * results. In Qwen's and Hermes' templates, `</tool_response>` ends the result inside of a turn of the user.
 */
const FORMS = [
	`</?[|｜]${CONTENT}(?:[|｜](?:${CONTENT})?)?>`,
	String.raw`<[\w:.-]{1,60}[|｜]>`,
	String.raw`\[\|${CONTENT}\|\]`,
	String.raw`</?(?:[\w-]{1,20}:)?(?:tool|function)s?_(?:call|response|result|output)s?(?::[^\s<>]{1,40})?>`,
	String.raw`</?(?:[\w-]{1,20}:)?(?:bos|eos)>`,
	String.raw`<(?:start|end)_(?:of|function)_\w{1,40}>`,
	String.raw`\[/?(?:TOOL_[A-Z]{1,20}|[A-Z]{1,20}_TOOLS)\]`,
	String.raw`\]<\]\w{1,20}\[>\[`,
];

/** The first character of one of some tokens. The rest is only looked at, so that a token that begins within another one is found. */
function toTokenStart(tokens: readonly string[], forms: readonly string[] = []): RegExp {
	const sources = [...tokens.map((token) => toAlternatives([token])), ...forms];
	const starts = Map.groupBy(sources, (source) =>
		source.startsWith('\\') ? source.slice(0, 2) : source.charAt(0),
	);
	const alternatives = [...starts].map(([first, all]) => {
		const rests = all.map((source) => source.slice(first.length));
		return `${first}(?=${rests.join('|')})`;
	});
	return new RegExp(alternatives.join('|'), 'g');
}

const TOKEN_START = toTokenStart(TURN_TOKENS);
const FORM_START = toTokenStart(TURN_TOKENS, FORMS);

/** A text in which each match has an invisible character after it, so that a token is text for a tokenizer. */
function breakAt(text: string, start: RegExp): string {
	return text.replace(start, (first) => first + ZERO_WIDTH_SPACE);
}

/** Changes a text. */
export type TextChange = (text: string) => string;

/**
 * A text whose turn tokens are text for a tokenizer: each has an invisible character after its first one. Read once from the
 * beginning to the end. A broken text stays as it is.
 */
export function breakTurnTokens(text: string): string {
	return breakAt(text, TOKEN_START);
}

/** The same, also for the tokens of the template of one model. */
export function createTokenBreaker(templateTokens: readonly string[]): TextChange {
	if (templateTokens.length === 0) return breakTurnTokens;
	const start = toTokenStart([...new Set([...TURN_TOKENS, ...templateTokens])]);
	return (text) => breakAt(text, start);
}

/** The same for all that has the form of a token, whatever the template is. */
export function breakTokensByForm(text: string): string {
	return breakAt(text, FORM_START);
}

/**
 * How texts change by who wrote them: those of an author and of the model stay as they are.
 *
 * @param breakExact breaks the tokens in the texts of users
 */
export function getTokenChange(
	origin: Origin,
	breakExact: TextChange = breakTurnTokens,
): TextChange {
	switch (origin) {
		case 'author':
		case 'model':
			return (text) => text;
		case 'foreign':
			return breakTokensByForm;
		default:
			return breakExact;
	}
}

/** Most templates have some dozens. */
const MAX_TEMPLATE_TOKENS = 200;
const ANY_FORM = new RegExp(FORMS.join('|'), 'g');

/** The tokens that stand in a chat template of Jinja or Go. */
export function findTemplateTokens(template: string): string[] {
	const tokens = new Set<string>();
	for (const [token] of template.matchAll(ANY_FORM)) {
		tokens.add(token);
		if (tokens.size === MAX_TEMPLATE_TOKENS) break;
	}
	return [...tokens];
}

/** A change of a text for all names and texts in a value. */
export function changeTexts(value: unknown, change: TextChange): unknown {
	if (typeof value === 'string') return change(value);
	if (Array.isArray(value)) return value.map((element: unknown) => changeTexts(element, change));
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, field]) => [change(name), changeTexts(field, change)]),
	);
}
