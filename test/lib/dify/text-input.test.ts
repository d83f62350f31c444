/** Into which variable of a form the text of a node goes. */
import { withTextInput } from '../../../lib/dify/text-input';
import { expectApproved } from '../../support/approved/approved-table';
import { combine, getOutcome } from '../../support/approved/outcome';
import path from 'node:path';

const FORMS = [
	[],
	['text-input a'],
	['paragraph a'],
	['select a', 'number b', 'file c'],
	['text-input a', 'select b'],
	['text-input a', 'paragraph b'],
	['text-input a', 'paragraph b', 'text-input c'],
	['unknown a'],
];
const INPUTS: Array<Record<string, unknown>> = [
	{},
	{ a: '' },
	{ b: 'x' },
	{ a: 'x', b: 'y' },
	{ z: 1 },
];

test('each form with each input that is filled in', () => {
	const rows = combine({ form: FORMS, inputs: INPUTS }).map(({ form, inputs }) => ({
		input: `${form.join(', ') || 'no form'}; ${JSON.stringify(inputs)}`,
		outcome: getOutcome(() => {
			const fields = form.map((field) => {
				const [type = '', variable] = field.split(' ');
				return { [type]: { variable } };
			});
			return withTextInput(inputs, { text: 'T', appParameters: { user_input_form: fields } });
		}),
	}));
	expectApproved(
		path.join(__dirname, 'text-input.approved.txt'),
		rows,
		'The text of a node goes into the one variable that it can mean',
	);
});
