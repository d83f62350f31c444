/** What a chat template reads besides the conversation. */

/** Arguments that turn the thinking on or off: of most models, and of DeepSeek V3.1, Granite 3.2 and Holo2. */
export const THINKING_KEYS = ['enable_thinking', 'thinking'] as const;

/** An argument that turns the thinking on or off. */
export type ThinkingKey = (typeof THINKING_KEYS)[number];

/**
 * The arguments that a template reads; empty if it reads none.
 *
 * @param template Jinja; anything else is unknown
 */
export function findThinkingKeys(template: unknown): readonly ThinkingKey[] | undefined {
	if (typeof template !== 'string' || template === '') return undefined;
	const code = getCode(template).join('\n');
	return THINKING_KEYS.filter((key) => VARIABLES[key].test(code));
}

/** Not a field of a message (`message.thinking`), and no part of another name. */
const VARIABLES: Readonly<Record<ThinkingKey, RegExp>> = {
	enable_thinking: /(?<![\w.])enable_thinking(?!\w)/,
	thinking: /(?<![\w.])thinking(?!\w)/,
};

/** By the character after the first brace. */
const CLOSING_TAGS: ReadonlyMap<string | undefined, string> = new Map([
	['%', '%}'],
	['{', '}}'],
]);

const TEXT_LITERAL = /'[^'\n]*'|"[^"\n]*"/g;

/** The statements and expressions of a template, without texts: their words are no variables. */
function getCode(template: string): string[] {
	const code: string[] = [];
	for (let at = template.indexOf('{'); at !== -1; at = template.indexOf('{', at)) {
		const close = CLOSING_TAGS.get(template[at + 1]);
		const end = close === undefined ? -1 : template.indexOf(close, at + 2);
		if (end !== -1) code.push(template.slice(at + 2, end).replace(TEXT_LITERAL, ''));
		else if (close !== undefined) break;
		at = end === -1 ? at + 1 : end + 2;
	}
	return code;
}
