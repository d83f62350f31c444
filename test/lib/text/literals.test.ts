/** Values and calls as Python and JavaScript write them, and JSON that is repaired. */
import path from 'node:path';
import { extractJson } from '../../../lib/text/extract-json';
import { countSigns, findDuplicateKeys, splitJson } from '../../../lib/text/json-members';
import {
	parseLiteral,
	parseLiteralCalls,
	readLiteralCallsAt,
	repairJson,
} from '../../../lib/text/literals';
import { parseCutJson } from '../../../lib/values/cut-json';
import { parseExactJson } from '../../../lib/values/exact-json';
import { parseJson } from '../../../lib/values/json';
import { isRecord } from '../../../lib/values/records';
import { applyToTexts, expectApproved } from '../../support/approved/approved-table';

const TEXTS = [
	'1',
	'-1.50',
	'1e3',
	'01',
	'.5',
	'+1',
	'0x10',
	'1_000',
	'NaN',
	'-Infinity',
	'True',
	'None',
	'null',
	'undefined',
	'"a"',
	"'a'",
	"'it\\'s'",
	'“a”',
	'`a`',
	'"""a"b"""',
	"'a' 'b'",
	'"\\x41\\u0042\\n"',
	'"a\nb"',
	'a',
	'[1, 2]',
	'[1, 2,]',
	'(1, 2)',
	'{1, 2}',
	'[1 2]',
	'[1, 2',
	'{"a": 1}',
	"{'a': True}",
	'{a: 1}',
	'{a-b: 1}',
	'{"a": 1,}',
	'{"a" 1}',
	'{"a": 1 "b": 2}',
	'{"a": 1',
	'{"a": "b',
	'{"a": [1, {"b": "c',
	'{"a": 1}}',
	'{"a": 1} b',
	'a {"b": 1} c',
	'a {"b": 1} c {"b": 2}',
	'a {"b": 1} c {"b": 1}',
	'{"a": 1, "a": 2}',
	'{"a": {"b": 1, "b": 2}}',
	'{"a": 12345678901234567890}',
	'{"a": 1.0}',
	'{"a": // b\n 1}',
	'{"a": /* b */ 1}',
	'# a\n{"b": 1}',
	'{"a": "b" + "c"}',
	'{“a”: “b”}',
	'{"a"：1，"b"：2}',
	'{"__proto__": 1}',
	'f()',
	'f(a=1)',
	'f(a=1, b="c")',
	'f(1)',
	'f(1, a=2)',
	'f(a: 1)',
	'f({"a": 1})',
	'f(**{"a": 1})',
	'f{a: 1}',
	'a.f(b=1)',
	'print(f(a=1))',
	'[f(a=1), g()]',
	'f(a=1); g(b=2)',
	'f(a=1)\ng(b=2)',
	'f(a=1, a=2)',
	'f(a=[1, {b: None}])',
	'f(a=1',
	'f(a=1) and more',
	'f(a=NaN)',
	'f(a=<|"|>b<|"|>)',
	'await f(a=1)',
	'x = f(a=1)',
	'```json\n{"a": 1}\n```',
	'```\n{"a": 1}\n```\n```\n{"a": 2}\n```',
	'{"a": 1}\n{"b": 2}',
	'',
];

const isJsonObject = (text: string) => isRecord(parseJson(text));

test('each text has its value, its calls and its JSON', () => {
	const functions = {
		parseLiteral,
		parseLiteralCalls,
		readLiteralCallsAt: (text: string) => readLiteralCallsAt(text, 0, 100).result,
		repairJson: (text: string) => repairJson(text)?.json,
		splitJson: (text: string) => (isJsonObject(text) ? splitJson(text) : []),
		findDuplicateKeys: (text: string) => (isJsonObject(text) ? findDuplicateKeys(text) : []),
		countSigns: (text: string) => countSigns(text, 3) || '',
		parseCutJson,
		exact: (text: string) => (parseJson(text) === undefined ? '' : parseExactJson(text).json),
		extractJson: (text: string) => extractJson(text, () => []),
		extractObject: (text: string) =>
			extractJson(text, (value) => (typeof value === 'object' ? [] : ['is no object'])),
	};
	expectApproved(
		path.join(__dirname, 'literals.approved.txt'),
		applyToTexts(functions, TEXTS),
		'Values as languages write them keep their meaning',
	);
});
