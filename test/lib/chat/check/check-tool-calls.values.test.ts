/** Values of arguments for many types of a field: what the tool gets, or what the model is told. */
import path from 'node:path';
import { checkToolCalls } from '../../../../lib/chat/check/check-tool-calls';
import { describeInvalidCall } from '../../../../lib/errors/chapters/turns';
import { describeForModel, toInvalidCall } from '../../../../lib/chat/check/correction';
import type { JsonRecord } from '../../../../lib/values/records';
import { expectApproved, joinPlaces } from '../../../support/approved/approved-table';
import { toTool } from '../../../support/texts/messages';

const FIELDS: Readonly<Record<string, JsonRecord>> = {
	string: { type: 'string' },
	number: { type: 'number' },
	integer: { type: 'integer' },
	boolean: { type: 'boolean' },
	object: { type: 'object', properties: { x: { type: 'number' } } },
	list: { type: 'array', items: { type: 'integer' } },
	'text or null': { type: ['string', 'null'] },
	'number or text': { anyOf: [{ type: 'number' }, { type: 'string' }] },
	'number or null': { anyOf: [{ type: 'number' }, { type: 'null' }] },
	choice: { enum: ['1', 'a'] },
	'choice of numbers': { enum: [1, 2] },
	anything: {},
};

const VALUES = [
	'"a"',
	'"1"',
	'" 1 "',
	'"1.5"',
	'"-0"',
	'"1e3"',
	'"true"',
	'"False"',
	'"null"',
	'"None"',
	'""',
	'"[1,\\"2\\"]"',
	'"{\\"x\\":\\"1\\"}"',
	'"{\'x\': 1}"',
	'"{\\"x\\":1,\\"x\\":2}"',
	'"12345678901234567890"',
	'1',
	'1.5',
	'true',
	'null',
	'[1,"2"]',
	'{"x":"1"}',
	'{"x":"a"}',
	'12345678901234567890',
];

const check = (value: string, field: JsonRecord, hasNullTexts?: true) => {
	const schema = { type: 'object', properties: { v: field } };
	const call = { name: 'f', arguments: `{"v":${value}}`, ...(hasNullTexts && { hasNullTexts }) };
	const { validCalls, issues, warnings } = checkToolCalls([call], [toTool({ name: 'f', schema })]);
	return [
		...validCalls.map(({ arguments: args }) => (args === call.arguments ? 'as it is' : args)),
		...issues.map((issue) => describeForModel(issue)),
		...warnings,
	].join(' | ');
};

test('each value becomes that of its field if nothing is lost', () => {
	const outcomes = VALUES.flatMap((value) =>
		Object.entries(FIELDS).flatMap(([name, field]) => [
			{ subject: value, place: name, outcome: check(value, field) },
			...(/null|None/.test(value)
				? [{ subject: value, place: `${name} of texts`, outcome: check(value, field, true) }]
				: []),
		]),
	);
	expectApproved(
		path.join(__dirname, 'check-tool-calls.values.approved.txt'),
		joinPlaces(outcomes),
		'A value reaches a tool as its type says, or the model is told; no number changes',
	);
});

/** Calls with schemas that demand something, or more than one call. */
const CALLS: ReadonlyArray<readonly [schema: JsonRecord, ...args: string[]]> = [
	[{ required: ['a', 'b'], properties: { a: {}, b: {} } }, '{"a":1}'],
	[{ required: ['a'], properties: { a: { type: 'number' } } }, '{"a":null}'],
	[{ properties: { a: { type: 'number' } } }, '{"a":null}'],
	[{ properties: { a: {} } }, '{"b":1}'],
	[{ properties: { a: {} } }, '{"a":1,"b":1}'],
	[{ properties: { a: {} } }, '{"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"a":1}'],
	[{ properties: { a: {} }, additionalProperties: true }, '{"b":1}'],
	[{ properties: { a: {} }, additionalProperties: { type: 'number' } }, '{"b":"1"}'],
	[{ properties: { a: {} }, anyOf: [{ required: ['b'] }] }, '{"b":1}'],
	[{ properties: { a: {} }, patternProperties: { '^b': {} } }, '{"b":1}'],
	[{}, '{"b":1}'],
	[{ properties: {} }, ''],
	[{ properties: {} }, 'null'],
	[{ properties: { a: {} } }, '[]'],
	[{ properties: { a: {} } }, '"{\\"a\\":1}"'],
	[{ properties: { a: {} } }, '{a:1}'],
	[{ properties: { a: {} } }, '{"a":1'],
	[{ properties: { a: {} } }, '{"a":1,"a":2}'],
	[{ properties: { a: { properties: { b: {} } } } }, '{"a":{"b":1,"b":2}}'],
	[{ properties: { a: { type: 'number' } } }, '{"a":"12345678901234567890"}', '{"a":1}'],
	[
		{
			properties: {
				toolParameters: { properties: { a: {} }, required: ['a'] },
				hitlParameters: {},
			},
			required: ['toolParameters', 'hitlParameters'],
		},
		'{"toolParameters":{}}',
		'{"toolParameters":{"a":1}}',
		'{}',
	],
];

test('each call is valid, or has its issue and its warnings', () => {
	const rows = CALLS.map(([schema, ...args]) => {
		const calls = args.map((text, index) => ({ id: String(index), name: 'f', arguments: text }));
		const { validCalls, issues, warnings } = checkToolCalls(calls, [toTool({ name: 'f', schema })]);
		return {
			input: `${JSON.stringify(schema)} ${args.join(' and ')}`,
			outcome: {
				valid: validCalls.map(({ id = '', arguments: text }) => `${id}: ${text}`),
				issues: issues.map((issue) => ({
					forUser: describeInvalidCall(toInvalidCall(issue)),
					forModel: describeForModel(issue),
				})),
				warnings,
			},
		};
	});
	expectApproved(
		path.join(__dirname, 'check-tool-calls.calls.approved.txt'),
		rows,
		'A call runs whole, or not at all and the model is told',
	);
});
