/** Breaks up control tokens of models in texts of users, tools and files, so that they are words to every template. */

/** `<|…|>` of ChatML, Llama 3, gpt-oss; `[INST]` of Mistral and Llama 2; Gemma's turns; DeepSeek's bars; ends of texts. */
const TOKENS =
	/<\|(?=[\w:/ -]{1,64}\|>)|<[|｜](?=[^<>]{1,64}[|｜]>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|CALL_ID|IMG)\])|<(?=\/?(?:s|bos|eos|start_of_turn|end_of_turn)>)|<(?=<\/?SYS>>)/g;

/** Nobody sees a zero-width space, and no tokenizer joins what stands around it. */
const BREAK = '\u200b';

export function withoutControlTokens(text: string): string {
	return text.replace(TOKENS, (start) => start + BREAK);
}
