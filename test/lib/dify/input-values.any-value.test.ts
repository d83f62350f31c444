/** What is sent and read for any value of each type of an app's form and of a conversation variable. */
import {
	convertFormValue,
	parseExactNumber,
	parseJsonInputs,
} from '../../../lib/dify/input-values';
import { toVariableValue, withTypedValue } from '../../../lib/dify/variables';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import type { PlacedOutcome } from '../../support/approved/approved-table';
import { getOutcome } from '../../support/approved/outcome';
import path from 'node:path';

const VALUES: readonly unknown[] = [
	undefined,
	null,
	'',
	' ',
	'text',
	'7',
	' 7.50 ',
	'-0',
	'1e3',
	'0x10',
	'12345678901234567890',
	'0.12345678901234567890',
	'true',
	'False',
	'yes',
	'1',
	'0',
	'null',
	'[1, 2]',
	"['a', True, None]",
	'{"a": 12345678901234567890}',
	"{'a': 1}",
	'{"a":',
	0,
	7.5,
	true,
	false,
	[1],
	{ a: 1 },
];
const FORM_TYPES = [
	'text-input',
	'paragraph',
	'select',
	'number',
	'checkbox',
	'json_object',
	'file',
	'external',
];
const VARIABLE_TYPES = [
	'string',
	'secret',
	'number',
	'integer',
	'float',
	'boolean',
	'object',
	'array[string]',
	'file',
	undefined,
];

test('each value for each type', () => {
	const outcomes: PlacedOutcome[] = [];
	for (const value of VALUES) {
		const subject = JSON.stringify(value) ?? 'undefined';
		const add = (place: string, outcome: unknown): number =>
			outcomes.push({ subject, place, outcome: JSON.stringify(outcome) ?? 'undefined' });
		for (const type of FORM_TYPES) add(`form ${type}`, convertFormValue({ type } as never, value));
		for (const type of VARIABLE_TYPES) {
			add(`sent ${type}`, toVariableValue({ value_type: type }, value));
			add(`read ${type}`, withTypedValue({ value_type: type, value }).value);
		}
		add('number', parseExactNumber(value));
		add(
			'inputs',
			getOutcome(() => parseJsonInputs(value)),
		);
	}
	expectApproved(
		path.join(__dirname, 'input-values.any-value.approved.txt'),
		joinPlaces(outcomes),
		'A value reaches an app in the type of its field, or is refused with its name',
	);
});
