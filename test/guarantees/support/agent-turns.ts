/** Tool turns as n8n's agents hand them over, in the form of each version. */
import { createRequire } from 'node:module';
import process from 'node:process';
import type { Message } from './node-runner';

interface Messages {
	HumanMessage: new (content: unknown) => unknown;
	SystemMessage: new (content: unknown) => unknown;
	AIMessage: new (fields: object) => unknown;
	ToolMessage: new (fields: object) => unknown;
}

/** LangChain's classes from n8n's own installation. */
export const { HumanMessage, SystemMessage, AIMessage, ToolMessage } = createRequire(
	`${process.cwd()}/package.json`,
)('@langchain/core/messages') as Messages;

/** A tool in OpenAI's form. */
export const toolNamed = (name: string, properties: object = {}, required: string[] = []) => ({
	type: 'function',
	function: {
		name,
		description: `The tool ${name}`,
		parameters: { type: 'object', properties, required },
	},
});

export const WEATHER = toolNamed('get_weather', { city: { type: 'string' } }, ['city']);
export const TIME = toolNamed('get_time', { zone: { type: 'string' } });

type Call = NonNullable<Message['tool_calls']>[number];

const result = ({ id, name }: Call, content: string) =>
	new ToolMessage({ tool_call_id: id, name, content });
/** n8n puts the ID of a call over its arguments. */
const withId = (call: Call) => ({ ...call, args: { ...call.args, id: call.id } });

/** How a version replays one answer with calls, and the results of these. */
export type Replay = (answer: Message, results: string[]) => unknown[];

const apart =
	(contentOf: (call: Call, all: Call[], answer: Message) => unknown, thinks: boolean): Replay =>
	(answer, results) => {
		const all = answer.tool_calls ?? [];
		const kwargs = thinks ? { additional_kwargs: { ...answer.additional_kwargs } } : {};
		return all.flatMap((call, at) => [
			new AIMessage({
				content: contentOf(call, all, answer),
				tool_calls: [withId(call)],
				...kwargs,
			}),
			result(call, results[at]!),
		]);
	};

export const VERSIONS: Record<string, Replay> = {
	'1.9 (the executor of LangChain)': (answer, results) => [
		answer,
		...(answer.tool_calls ?? []).map((call, at) => result(call, results[at]!)),
	],
	'2.2 (n8n 2.20)': apart(
		(call) => `Calling ${call.name} with input: ${JSON.stringify({ ...call.args, id: call.id })}`,
		false,
	),
	'3.1 (n8n 2.41)': apart(() => [], true),
	'3.1, with the names of the tools as text': apart(
		(_call, all) => `Calling tools: ${all.map(({ name }) => name).join(', ')}`,
		true,
	),
	'3.3, text in each message': apart((_call, _all, answer) => answer.content, true),
	'3.3, text as a block': apart(
		(call, _all, answer) => [
			{ type: 'text', text: answer.content },
			{ type: 'tool_use', id: call.id, name: call.name, input: {} },
		],
		true,
	),
};
