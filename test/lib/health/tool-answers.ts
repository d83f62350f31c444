import { CASES } from '../../../lib/health/tool-test';
import type { ToolCase } from '../../../lib/health/tool-test';
import { reply } from '../../simulators/llama-server';
import type { LlamaServerSim, Scripted } from '../../simulators/llama-server';

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

const call =
	(name: string, args: object | string = {}) =>
	() =>
		reply.toolCalls([{ name, arguments: args }]);
const weather = (city: string) => call('get_weather', { city });
const HERMES = '<tool_call>\n{"name":"get_weather","arguments":{"city":"Paris"}}\n</tool_call>';
const QUOTED = `Write this: \`${HERMES}\` and it works.`;
const SAID = 'Let me think about it for';
const BONN = 'get_weather({"city":"Bonn"})';
const MESSAGE = { to: 'Zoe', text: 'Grusse aus Tokyo' };
const MODE = { room: 'kitchen', mode: 'darker' };
const UNKNOWN =
	'The model called the tool "look_outside", which is not connected. Connected tools: ';
const MISSING = 'The model called the tool "get_weather" without the required arguments city';
const text = (said: string, options?: { finish: 'length' }) => () => reply.text(said, options);
const recovery = 'an error to recover from';

/** Each failure: the case, the response of the model, and the result of the test. */
export const WAYS_TO_FAIL: ReadonlyArray<
	[name: string, answer: () => Reply, problem: string, did: string, second?: boolean]
> = [
	['one call', text('It is sunny in Paris.'), 'noCall', 'It is sunny in Paris.'],
	['one call', text(QUOTED), 'noCall', QUOTED],
	['no call needed', weather('Bonn'), 'unnecessaryCall', BONN],
	['a number', weather('Bonn'), 'wrongTool', BONN],
	['one call', call('look_outside'), 'wrongTool', UNKNOWN],
	['one call', call('get_weather'), 'wrongArguments', MISSING],
	['two calls in one response', weather('Oslo'), 'wrongCount', 'get_weather({"city":"Oslo"})'],
	['one call', weather('Paris, France'), 'wrongArguments', 'get_weather({"city":"Paris, France"})'],
	[
		'one of a list',
		call('set_light', MODE),
		'wrongArguments',
		`set_light(${JSON.stringify(MODE)})`,
	],
	[
		'Unicode',
		call('send_message', MESSAGE),
		'wrongArguments',
		`send_message(${JSON.stringify(MESSAGE)})`,
	],
	[
		recovery,
		call('read_file', { path: 'notes.txt' }),
		'notCorrected',
		'read_file({"path":"notes.txt"})',
		true,
	],
	[recovery, text('There is no such file.'), 'noCall', 'There is no such file.', true],
	['nested arguments', call('create_order', '{"customer": "Ada'), 'invalidCall', ''],
	['one call', text(SAID, { finish: 'length' }), 'truncated', SAID],
	['a number', () => reply.reasoning('Hm, so 09:40 …', '', { finish: 'length' }), 'truncated', ''],
	['a number', () => reply.reasoning('So it is 08:10.'), 'noResponse', ''],
	['no call needed', () => reply.empty(), 'noResponse', ''],
];
