import fc from 'fast-check';

import { toolCallsOf } from '../../../../lib/chat/wire/openai-tool-calls';

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } } };

describe('tool calls in a delta or a message', () => {
	it.each<[string, object, object[]]>([
		[
			"OpenAI's form",
			{ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }] },
			[{ index: 0, id: 'a', name: 'f', arguments: '{"x":1}' }],
		],
		[
			'the form before there were several calls (ChatGLM, Qwen)',
			{ function_call: { name: 'f', arguments: '{}' } },
			[{ name: 'f', arguments: '{}' }],
		],
		[
			'both forms at once are one call',
			{
				tool_calls: [{ function: { name: 'f', arguments: '{}' } }],
				function_call: { name: 'f', arguments: '{}' },
			},
			[{ name: 'f', arguments: '{}' }],
		],
		[
			'without the inner object',
			{ tool_calls: [{ name: 'f', arguments: '{}' }] },
			[{ name: 'f', arguments: '{}' }],
		],
		[
			'the name as function',
			{ tool_calls: [{ function: 'f', arguments: '{}' }] },
			[{ name: 'f', arguments: '{}' }],
		],
		['one call without its list', { tool_calls: { function: { name: 'f' } } }, [{ name: 'f' }]],
		[
			'a list that became an object',
			{ tool_calls: { '0': { function: { name: 'f' } }, '1': { function: { name: 'g' } } } },
			[{ name: 'f' }, { name: 'g' }],
		],
		[
			'an id that is a number',
			{ tool_calls: [{ id: 7, function: { name: 'f' } }] },
			[{ id: '7', name: 'f' }],
		],
		[
			'an empty id and name',
			{ tool_calls: [{ index: 0, id: '', function: { name: '' } }] },
			[{ index: 0 }],
		],
		['an index as text', { tool_calls: [{ index: '1' }, { index: ' ' }] }, [{ index: '1' }, {}]],
		[
			'arguments as an object',
			{ tool_calls: [{ function: { name: 'f', arguments: { x: 1 } } }] },
			[{ name: 'f', arguments: { x: 1 } }],
		],
		[
			'arguments under another name',
			{
				tool_calls: [
					{ name: 'f', parameters: { x: 1 } },
					{ name: 'f', args: '{}' },
					{ name: 'f', input: { y: 2 } },
				],
			},
			[
				{ name: 'f', arguments: { x: 1 } },
				{ name: 'f', arguments: '{}' },
				{ name: 'f', arguments: { y: 2 } },
			],
		],
		[
			"the tool's schema beside empty arguments is not taken for them",
			{ tool_calls: [{ function: { name: 'f', arguments: '', parameters: SCHEMA } }] },
			[{ name: 'f', arguments: '' }],
		],
		[
			'arguments that are neither a text nor an object go on as they are, to be refused',
			{ tool_calls: [{ function: { name: 'f', arguments: ['Rome'] } }] },
			[{ name: 'f', arguments: '["Rome"]' }],
		],
		['nothing', { tool_calls: null, function_call: null }, []],
		['entries that are none', { tool_calls: [null, 'f', 3] }, []],
	])('%s', (_form, delta, pieces) => {
		expect(toolCallsOf(delta as Record<string, unknown>, false)).toEqual(pieces);
		expect(toolCallsOf(delta as Record<string, unknown>, true)).toEqual(
			pieces.map((piece) => ({ ...piece, complete: true })),
		);
	});

	it('whatever a server sends, every piece has texts where texts belong, and no value of arguments is lost', () => {
		const values = fc.record(
			{
				index: fc.jsonValue(),
				id: fc.jsonValue(),
				name: fc.jsonValue(),
				function: fc.oneof(
					fc.jsonValue(),
					fc.record({ name: fc.jsonValue(), arguments: fc.jsonValue() }),
				),
			},
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(
				fc.record({ tool_calls: fc.oneof(fc.jsonValue(), fc.array(values)) }),
				(delta) => {
					for (const { index, id, name, arguments: args } of toolCallsOf(delta, false)) {
						expect(['undefined', 'number', 'string']).toContain(typeof index);
						expect(id === undefined || (typeof id === 'string' && id !== '')).toBe(true);
						expect(name === undefined || (typeof name === 'string' && name !== '')).toBe(true);
						expect(['undefined', 'string', 'object']).toContain(typeof args);
						expect(args === null || Array.isArray(args)).toBe(false);
					}
				},
			),
		);
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const [piece] = toolCallsOf(
					{ tool_calls: [{ function: { name: 'f', arguments: value } }] },
					false,
				);
				if (value === null) expect(piece).not.toHaveProperty('arguments');
				else
					expect(piece!.arguments).toEqual(
						typeof value === 'object' && !Array.isArray(value)
							? value
							: typeof value === 'string'
								? value
								: JSON.stringify(value),
					);
			}),
		);
	});
});
