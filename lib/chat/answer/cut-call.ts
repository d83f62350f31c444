import type { ToolDefinition } from '../types';

/**
 * The name of the tool whose call was cut off by the token limit and arrived as text: Ollama parses only complete
 * calls, and passes on the JSON of others as text (docs/protocols/ollama.md 4.3). Undefined for other texts.
 *
 * @param text the whole text before the limit
 * @param tools the tools that the model may call
 */
export function cutCallIn(text: string, tools: readonly ToolDefinition[]): string | undefined {
	const written = text.trim().replace(/^\[/, '').replace(/\s+/g, '');
	if (!written.startsWith('{')) return undefined;
	const tool = tools.find(({ name }) => {
		const head = `{"name":${JSON.stringify(name)}`.replace(/\s+/g, '');
		return written.startsWith(head) || head.startsWith(written);
	});
	return tool?.name;
}
