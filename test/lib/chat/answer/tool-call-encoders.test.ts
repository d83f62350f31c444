/** Calls in the format of every server are parsed, wherever they are cut. */
import * as fc from 'fast-check';

import { examples } from '../../../support/properties';
import { anyCalls, anyCutter, ENCODERS } from '../../../support/tool-call-encoders';
import { answerOf, assemble, DONE, failureOf, finish, piece, role } from '../assemble';

const NAMES = ['get_weather', 'get_time', 'w', 'set', 'set_all', 'aa'];
const tools = NAMES.map((name) => ({ name, parameters: { type: 'object', properties: {} } }));
const chunk = (delta: object) => ({ choices: [{ index: 0, delta }] });

describe('encoded calls are read back', () => {
	it.each(Object.keys(ENCODERS))('%s', (server) => {
		fc.assert(
			fc.property(anyCalls(NAMES), anyCutter, fc.boolean(), (calls, cut, hasReason) => {
				const deltas = ENCODERS[server]!(calls, cut).map(chunk);
				const events = [role, ...deltas, ...(hasReason ? [finish('tool_calls')] : []), DONE];
				// What never has a field for the reason ends with the end marker.
				const { toolCalls } = answerOf(assemble(hasReason ? events : events.slice(1), { tools }));
				expect(toolCalls.map(({ name, arguments: args }) => [name, args])).toEqual(
					calls.map(({ name, args }) => [name, args]),
				);
			}),
			examples(150),
		);
	});
});

describe('the names of tools', () => {
	const called = (name: string) => [
		piece(0, { name, arguments: '{"x":1}' }, { id: 'a' }),
		finish('tool_calls'),
		DONE,
	];
	it.each([
		['get_weather<|channel|>commentary', 'get_weather'],
		['functions.get_weather', 'get_weather'],
		['default_api.get_weather', 'get_weather'],
		['default_api:get_weather', 'get_weather'],
		['shop.get_weather', 'get_weather'],
		['Get_Weather', 'get_weather'],
		['functions.get_time:0', 'get_time'],
	])('%s is %s', (written, name) => {
		expect(answerOf(assemble(called(written), { tools })).toolCalls).toMatchObject([{ name }]);
	});

	it('one that is none of them is an error that lists them, and is left out beside others', () => {
		expect(failureOf(assemble(called('rm'), { tools }))).toMatchObject({
			kind: 'toolCallInvalid',
			tool: 'rm',
			facts: { offeredTools: NAMES },
		});
		const both = [
			piece(0, { name: 'w', arguments: '{}' }, { id: 'b' }),
			piece(1, { name: 'rm', arguments: '{}' }, { id: 'c' }),
		];
		expect(answerOf(assemble([...both, finish('tool_calls'), DONE], { tools }))).toMatchObject({
			toolCalls: [{ name: 'w' }],
			notes: [expect.stringContaining('rm')],
		});
		expect(answerOf(assemble(called('rm'))).toolCalls).toHaveLength(1);
	});

	it('arguments that are required and missing are told', () => {
		const needy = [
			{ name: 'w', parameters: { type: 'object', properties: { city: {} }, required: ['city'] } },
		];
		const events = [
			piece(0, { name: 'w', arguments: '{}' }, { id: 'a' }),
			finish('tool_calls'),
			DONE,
		];
		expect(answerOf(assemble(events, { tools: needy })).notes).toEqual([
			expect.stringMatching(/"w" without .* city/),
		]);
	});

	it('a whole call and the end marker are not an end if the server sends finish reasons', () => {
		expect(
			failureOf(assemble([role, piece(0, { name: 'w', arguments: '{}' }), DONE])),
		).toMatchObject({
			kind: 'streamEndedEarly',
		});
	});
});
