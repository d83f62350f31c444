/**
 * Translates Ollama's own protocol to llama-server's, for the Ollama Chat Model, which speaks no other. It imitates what
 * Ollama sends (docs/api.md of Ollama), not how Ollama runs a model.
 */

/** @typedef {import('../../scripts/lib/types').JsonObject} JsonObject */

/**
 * @param {JsonObject} message
 * @returns {JsonObject}
 */
const toMessage = ({ role, content, tool_calls: calls, tool_name: name }) => ({
	role,
	content,
	...(role === 'tool' ? { tool_call_id: name ?? 'call' } : {}),
	...(Array.isArray(calls) && calls.length > 0
		? {
				tool_calls: calls.map((call, index) => ({
					type: 'function',
					id: `call_${index}`,
					function: {
						name: call.function.name,
						arguments: JSON.stringify(call.function.arguments),
					},
				})),
			}
		: {}),
});

/**
 * @param {any} body of /api/chat
 * @returns {JsonObject} body of /v1/chat/completions
 */
export const toChatCompletions = ({ model, messages, tools, options = {} }) => ({
	model,
	messages: messages.map(toMessage),
	...(tools?.length > 0 ? { tools } : {}),
	...(options.num_predict > 0 ? { max_tokens: options.num_predict } : {}),
	stream: true,
	stream_options: { include_usage: true },
});

/** @returns {(record: string) => string[]} turns the events of one answer into Ollama's lines */
export const ollamaLines = () => {
	/** @type {Array<{ name: string, args: string }>} */
	const calls = [];
	let reason = 'stop';
	const started = performance.now();
	/** @param {JsonObject} fields */
	const line = (fields) =>
		`${JSON.stringify({ model: 'test-model', created_at: new Date().toISOString(), ...fields })}\n`;
	/** @param {JsonObject} message */
	const part = (message) => line({ message: { role: 'assistant', ...message }, done: false });
	return (record) => {
		const data = record.replace(/^data: /, '').trim();
		if (!data.startsWith('{')) return [];
		const { choices = [], usage } = JSON.parse(data);
		const { delta = {}, finish_reason: finished } = choices[0] ?? {};
		const lines = [];
		if (delta.content) lines.push(part({ content: delta.content }));
		if (delta.reasoning_content)
			lines.push(part({ content: '', thinking: delta.reasoning_content }));
		for (const {
			index,
			function: { name = '', arguments: args = '' },
		} of delta.tool_calls ?? []) {
			calls[index] ??= { name: '', args: '' };
			calls[index].name += name;
			calls[index].args += args;
		}
		if (finished) reason = finished === 'length' ? 'length' : 'stop';
		if (usage) {
			// Ollama sends a call only when it is complete.
			for (const { name, args } of calls)
				lines.push(
					part({ content: '', tool_calls: [{ function: { name, arguments: JSON.parse(args) } }] }),
				);
			const ns = Math.round((performance.now() - started) * 1e6);
			lines.push(
				line({
					message: { role: 'assistant', content: '' },
					...{ done: true, done_reason: reason },
					...{ total_duration: ns, load_duration: 1, prompt_eval_duration: 1, eval_duration: ns },
					...{ prompt_eval_count: usage.prompt_tokens, eval_count: usage.completion_tokens },
				}),
			);
		}
		return lines;
	};
};
