/** Control tokens of chat templates in texts that models read. */
import { ZERO_WIDTH_SPACE } from '../values';

/** `<|…|>` of ChatML, Llama 3, gpt-oss; `[INST]` of Mistral and Llama 2; Gemma's turns; DeepSeek's bars; ends of texts. */
const CONTROL_TOKENS =
	/<\|(?=[\w:/ -]{1,64}\|>)|<[|｜](?=[^<>]{1,64}[|｜]>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|CALL_ID|IMG)\])|<(?=\/?(?:s|bos|eos|start_of_turn|end_of_turn)>)|<(?=<\/?SYS>>)/g;

/** Breaks up control tokens of models in texts of users, tools and files, so that templates treat them as text. */
export function breakControlTokens(text: string): string {
	return text.replace(CONTROL_TOKENS, (start) => start + ZERO_WIDTH_SPACE);
}
