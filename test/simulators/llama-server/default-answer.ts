/** The response without a scripted reply: deterministic, from the request. */
import type { Json } from './generate';
import { reply } from './reply';
import type { GenerationReply } from './reply';

const toObject = (value: unknown): Json =>
	value !== null && typeof value === 'object' ? (value as Json) : {};

/** A value that matches a JSON schema of the package's own tasks. */
function sample(schema: unknown): unknown {
	const { type, properties, items, enum: values } = toObject(schema);
	if (Array.isArray(values)) return values[0];
	const samples: Record<string, unknown> = { string: 'text', integer: 1, number: 1, boolean: true };
	const [name] = [type].flat() as string[];
	if (name !== undefined && name in samples) return samples[name];
	if (name === 'array') return [sample(items)];
	return Object.fromEntries(
		Object.entries(toObject(properties)).map(([key, value]) => [key, sample(value)]),
	);
}

const textOf = (content: unknown): string =>
	Array.isArray(content)
		? (content as Json[]).map(({ text }) => text ?? '').join('\n')
		: String(content);

/** Repeats the last user message; calls the first tool if a call is required; fills in a schema if one is given. */
export function defaultAnswer(body: Json): GenerationReply {
	const format = toObject(body.response_format);
	const schema = toObject(format.json_schema).schema ?? body.format;
	if (typeof schema === 'object') return reply.text(JSON.stringify(sample(schema)));
	const [tool] = (body.tools ?? []) as Json[];
	if (body.tool_choice === 'required' && tool !== undefined) {
		const { name, parameters } = toObject(tool.function);
		return reply.toolCalls([{ name: String(name), arguments: sample(parameters) }]);
	}
	const messages = (body.messages ?? []) as Json[];
	const question = messages.filter(({ role }) => role === 'user').at(-1);
	return reply.text(`You said: ${textOf(question?.content ?? '')}`);
}

/** Characters of all texts; one character is one token, an image 64. */
export function countPrompt({ messages, tools, prompt = '' }: Json): number {
	const list = Array.isArray(messages) ? (messages as Json[]) : [];
	const parts = list.flatMap(({ content }) =>
		Array.isArray(content) ? (content as Json[]) : [{ type: 'text', text: content ?? '' }],
	);
	const texts = parts.map(({ type, text }) => (type === 'text' ? String(text).length + 20 : 64));
	const calls = list.flatMap(({ tool_calls: made }) => made ?? []);
	const rest = `${JSON.stringify(calls)}${JSON.stringify(tools ?? '')}${String(prompt)}`;
	return texts.reduce((sum, length) => sum + length, rest.length);
}
