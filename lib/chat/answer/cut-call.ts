import type { ToolDefinition } from '../types';

/**
 * The tool whose call was cut off by the token limit and came as text: Ollama reads calls only where they are whole, and
 * hands on the JSON of others as the answer (docs/protocols/ollama.md 4.3). Undefined where the text is no such call.
 *
 * @param text all that came before the limit
 * @param tools those that the model may call
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
