import { CASES, type ToolCase } from '../../../lib/health/tool-test';
import { type LlamaServerSim, reply, type Scripted } from '../../simulators/llama-server';

interface RequestBody {
	messages: Array<{ role: string; content: string }>;
}

type Reply = ReturnType<typeof reply.text> | ReturnType<typeof reply.llamaError>;

/** Response of a model to a case; `second`: after the result of its tool. Undefined: the correct response. */
export type Answering = (one: ToolCase, second: boolean) => Reply | undefined;

export function caseNamed(name: string): ToolCase {
	return CASES.find((one) => one.name === name)!;
}

/** The correct response. */
export function rightAnswer({ calls, followUp }: ToolCase, second: boolean): Reply {
	const expectedCalls = second ? followUp!.calls : calls;
	if (expectedCalls.length === 0) return reply.text('Hello, it is good to see you.');
	return reply.toolCalls([...expectedCalls]);
}

/** Scripts a model that responds correctly, except for the cases of `answering`. */
export function playModel(server: LlamaServerSim, answering: Answering = () => undefined): void {
	const play: Scripted = ({ body }) => {
		const { messages } = body as RequestBody;
		const one = CASES.find(({ question }) => messages.some(({ content }) => content === question))!;
		// Corrections are also sent to the model as tool results.
		const isSecond =
			one.followUp !== undefined && messages.at(-1)!.content.includes(one.followUp.result);
		return answering(one, isSecond) ?? rightAnswer(one, isSecond);
	};
	server.script(...Array.from({ length: 200 }, () => play));
}

const hermes = (call: object) => `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`;
const weather = (city: unknown) => ({ name: 'get_weather', arguments: { city } });

/** Each failure: the case, the response of the model, and the result of the test. */
export const WAYS_TO_FAIL: ReadonlyArray<
	[name: string, answer: () => Reply, problem: string, did: string, second?: boolean]
> = [
	['one call', () => reply.text('It is sunny in Paris.'), 'noCall', 'It is sunny in Paris.'],
	[
		'one call',
		() => reply.text(`Write this: \`${hermes(weather('Paris'))}\` and it works.`),
		'noCall',
		`Write this: \`${hermes(weather('Paris'))}\` and it works.`,
	],
	[
		'no call needed',
		() => reply.toolCalls([weather('Bonn')]),
		'unnecessaryCall',
		'get_weather({"city":"Bonn"})',
	],
	[
		'a number',
		() => reply.toolCalls([weather('Bonn')]),
		'wrongTool',
		'get_weather({"city":"Bonn"})',
	],
	[
		'one call',
		() => reply.toolCalls([{ name: 'look_outside', arguments: {} }]),
		'wrongTool',
		'The model called the tool "look_outside", which is not connected. Connected tools: ',
	],
	[
		'one call',
		() => reply.toolCalls([{ name: 'get_weather', arguments: {} }]),
		'wrongArguments',
		'The model called the tool "get_weather" without the required arguments city',
	],
	[
		'two calls in one response',
		() => reply.toolCalls([weather('Oslo')]),
		'wrongCount',
		'get_weather({"city":"Oslo"})',
	],
	[
		'one call',
		() => reply.toolCalls([weather('Paris, France')]),
		'wrongArguments',
		'get_weather({"city":"Paris, France"})',
	],
	[
		'one of a list',
		() => reply.toolCalls([{ name: 'set_light', arguments: { room: 'kitchen', mode: 'darker' } }]),
		'wrongArguments',
		'set_light({"room":"kitchen","mode":"darker"})',
	],
	[
		'Unicode',
		() =>
			reply.toolCalls([
				{ name: 'send_message', arguments: { to: 'Zoe', text: 'Grusse aus Tokyo' } },
			]),
		'wrongArguments',
		'send_message({"to":"Zoe","text":"Grusse aus Tokyo"})',
	],
	[
		'an error to recover from',
		() => reply.toolCalls([{ name: 'read_file', arguments: { path: 'notes.txt' } }]),
		'notCorrected',
		'read_file({"path":"notes.txt"})',
		true,
	],
	[
		'an error to recover from',
		() => reply.text('There is no such file.'),
		'noCall',
		'There is no such file.',
		true,
	],
	[
		'nested arguments',
		() => reply.toolCalls([{ name: 'create_order', arguments: '{"customer": "Ada' }]),
		'invalidCall',
		'',
	],
	[
		'one call',
		() => reply.text('Let me think about it for', { finish: 'length' }),
		'truncated',
		'Let me think about it for',
	],
	['a number', () => reply.reasoning('Hm, so 09:40 …', '', { finish: 'length' }), 'truncated', ''],
	['a number', () => reply.reasoning('So it is 08:10.'), 'noResponse', ''],
	['no call needed', () => reply.empty(), 'noResponse', ''],
];
