/** The answer without a scripted reply: deterministic, from the request. */
import type { ChatTask, Json } from './chat';
import { type GenerationReply, reply } from './reply';

const object = (value: unknown): Json =>
	value !== null && typeof value === 'object' ? (value as Json) : {};

/** Approximately the smallest value that a JSON schema allows. */
const sample = (schema: unknown, root: unknown = schema, depth = 0): unknown => {
	const {
		type,
		properties,
		items,
		const: constant,
		enum: options,
		anyOf,
		oneOf,
		minItems,
		minimum,
		minLength,
		$ref,
	} = object(schema);
	if (constant !== undefined) return constant;
	if (Array.isArray(options)) return options[0];
	if (typeof $ref === 'string' && depth < 8) {
		const target = $ref
			.split('/')
			.slice(1)
			.reduce<unknown>((node, key) => object(node)[key], root);
		return sample(target, root, depth + 1);
	}
	const choice = [anyOf, oneOf].find(Array.isArray) as unknown[] | undefined;
	if (choice) return sample(choice[0], root, depth + 1);
	switch (Array.isArray(type) ? type[0] : type) {
		case 'string':
			return 'text'.padEnd(typeof minLength === 'number' ? minLength : 0, 'x');
		case 'integer':
		case 'number':
			return typeof minimum === 'number' ? minimum : 1;
		case 'boolean':
			return true;
		case 'null':
			return null;
		case 'array':
			return Array.from({ length: typeof minItems === 'number' ? minItems : 1 }, () =>
				sample(items, root, depth + 1),
			);
		default:
			return Object.fromEntries(
				Object.entries(object(properties)).map(([key, value]) => [
					key,
					sample(value, root, depth + 1),
				]),
			);
	}
};

/** Repeats the last user message; calls the first tool if a call is required; fills in a schema if one is given. */
export const defaultAnswer = (task: ChatTask): GenerationReply => {
	const thought = task.thinking ? 'The user said something.\n' : undefined;
	// With both, the schema takes precedence, and no call is possible (docs/protocols/llama-server.md 6.1).
	if (task.schema !== undefined)
		return reply.reasoning(thought ?? '', JSON.stringify(sample(task.schema)));
	const tool = object(object(task.tools[0]).function);
	if (task.toolChoice === 'required' && task.tools.length > 0) {
		const call = {
			name: String(tool.name),
			arguments: JSON.stringify(sample(tool.parameters ?? {})),
		};
		return reply.toolCalls([call], { reasoning: thought });
	}
	const userText = task.messages.filter(({ role }) => role === 'user').at(-1)?.content;
	return reply.reasoning(
		thought ?? '',
		userText === undefined ? 'You said nothing.' : `You said: ${userText}`,
	);
};
